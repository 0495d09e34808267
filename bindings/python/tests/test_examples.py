"""The example prints what its head says."""

import ast
import os
import subprocess
import sys
import unittest

from support import ROOT, lib


class ExampleTest(unittest.TestCase):
    def test_example(self):
        name = f'example_{lib.backend.name}.py'
        folder = os.path.join(ROOT, 'bindings/python')
        with open(os.path.join(folder, name), encoding='utf-8') as file:
            head = ast.get_docstring(ast.parse(file.read()), clean=False)
        command, *lines = [line[4:] for line in head.splitlines() if line.startswith('    ')]
        self.assertEqual(command, f'$ python3 {name}')
        run = subprocess.run([sys.executable, name], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.assertEqual(run.stdout.splitlines(), lines)
        self.assertEqual(run.returncode, 0)


if __name__ == '__main__':
    unittest.main()
