"""As much of the C preprocessor as it takes to read coro.h: comments, conditions, and macros.

The compiler is none that the header knows: without __GNUC__ and __clang__ it defines its attributes and the like as nothing.
"""

import re

# A comment; or (the group) what looks as if it had one in it.
COMMENT = re.compile(r'("(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\')|/\*.*?\*/|//[^\n]*', re.DOTALL)
TOKEN = re.compile(r'(?:[^\W\d]|\$)[\w$]*|0[xX][0-9a-fA-F]+[uUlL]*|\d+[uUlL]*|"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])+\'|\.\.\.|##'
                   r'|&&|\|\||[<>=!]=|<<|>>|\S')
INTEGER = re.compile(r'(0[xX][0-9a-fA-F]+|\d+)[uUlL]*$')
NAME = re.compile(r'(?:[^\W\d]|\$)[\w$]*$')
OPERATORS = {'&&': ' and ', '||': ' or ', '!': ' not '}


def without_comments(text):
    return COMMENT.sub(lambda found: found.group(1) or ' ', text)


def tokens_of(text):
    """The tokens of C code; comments are none."""
    return TOKEN.findall(without_comments(text))


def number(token):
    """The value of an integer constant."""
    digits = token.rstrip('uUlL')
    if digits[:2] not in ('0x', '0X') and len(digits) > 1 and digits[0] == '0':
        return int(digits, 8)
    return int(digits, 0)


class Macro:
    """What a #define says. parameters is None for a macro that is a name."""

    def __init__(self, name, parameters, body):
        self.name, self.parameters, self.body = name, parameters, body


class Preprocessor:
    """Reads a header: `tokens` are those of its declarations, with macros replaced; `macros` what it defines, by name."""

    def __init__(self, text):
        # stdint.h has these, which stand in constants.
        self.macros = {name: Macro(name, ['x'], ['x']) for name in ('INT64_C', 'UINT64_C')}
        self.tokens = []
        self._conditions = []  # of the #ifs around the line: whether it is read, and whether a branch was
        text = without_comments(text).replace('\\\n', ' ')
        lines = []
        for line in text.split('\n'):
            if line.lstrip().startswith('#'):
                self._take(lines)
                self._directive(line.lstrip()[1:].strip())
            elif self._is_read():
                lines.append(line)
        self._take(lines)
        if self._conditions:
            raise SyntaxError('an #endif is missing')

    def expand(self, tokens, outer=frozenset()):
        """tokens with all macros replaced; a macro within itself stays, as in C."""
        result, i = [], 0
        while i < len(tokens):
            token, i = tokens[i], i + 1
            macro = None if token in outer else self.macros.get(token)
            if macro is None:
                result.append(token)
            elif macro.parameters is None:
                result += self.expand(macro.body, outer | {token})
            elif i < len(tokens) and tokens[i] == '(':
                arguments, i = self._arguments(tokens, i + 1)
                by_name = dict(zip(macro.parameters, (self.expand(argument, outer) for argument in arguments)))
                body = [t for part in macro.body for t in by_name.get(part, [part])]
                result += self.expand(body, outer | {token})
            else:
                result.append(token)
        return result

    def value(self, tokens):
        """The value of a constant integer expression, or None if it is something else."""
        parts = []
        for token in self.expand(tokens):
            if INTEGER.match(token):
                parts.append(str(number(token)))
            elif token in OPERATORS:
                parts.append(OPERATORS[token])
            elif token in ('+', '-', '*', '|', '&', '~', '^', '(', ')', '<<', '>>', '<', '>', '==', '!=', '<=', '>='):
                parts.append(token)
            else:
                return None
        try:
            value = eval(''.join(parts), {'__builtins__': {}})  # digits and operators alone
        except (SyntaxError, TypeError):
            return None
        return int(value) if isinstance(value, (int, bool)) else None

    def constants(self):
        """The macros that are integers, by name."""
        values = {m.name: self.value(m.body) for m in self.macros.values() if m.parameters is None and m.body}
        return {name: value for name, value in values.items() if value is not None}

    def _is_read(self):
        return all(read for read, _ in self._conditions)

    def _take(self, lines):
        self.tokens += self.expand(TOKEN.findall('\n'.join(lines)))
        lines.clear()

    @staticmethod
    def _arguments(tokens, i):
        arguments, depth = [[]], 0
        while i < len(tokens) and (tokens[i] != ')' or depth > 0):
            depth += (tokens[i] == '(') - (tokens[i] == ')')
            if tokens[i] == ',' and depth == 0:
                arguments.append([])
            else:
                arguments[-1].append(tokens[i])
            i += 1
        if i == len(tokens):
            raise SyntaxError('a ")" is missing at the end of the arguments of a macro')
        return arguments, i + 1

    def _directive(self, line):
        word, rest = re.match(r'(\w*)\s*(.*)', line, re.DOTALL).groups()
        if word in ('elif', 'else', 'endif') and not self._conditions:
            raise SyntaxError(f'#{word} without an #if')
        if word in ('if', 'ifdef', 'ifndef'):
            holds = self._is_read() and self._holds(word, rest)
            self._conditions.append((holds, holds))
        elif word in ('elif', 'else'):
            _, was_read = self._conditions.pop()
            holds = not was_read and self._is_read() and (word == 'else' or self._holds('if', rest))
            self._conditions.append((holds, was_read or holds))
        elif word == 'endif':
            self._conditions.pop()
        elif word == 'define' and self._is_read():
            self._define(rest)
        elif word == 'undef' and self._is_read():
            self.macros.pop(rest.strip(), None)
        elif word not in ('include', '') and self._is_read():  # such as #error, or a #pragma that changes what follows
            raise SyntaxError(f'what is to be made of #{line}?')

    def _holds(self, word, condition):
        if word != 'if':
            return (condition.strip() in self.macros) == (word == 'ifdef')
        condition = re.sub(r'\bdefined\s*\(?\s*(\w+)\s*\)?', lambda m: str(int(m.group(1) in self.macros)), condition)
        tokens = ['0' if NAME.match(token) else token for token in self.expand(TOKEN.findall(condition))]
        value = self.value(tokens)
        if value is None:
            raise SyntaxError(f'what is the value of #{word} {condition}?')
        return bool(value)

    def _define(self, rest):
        name, parameters, body = re.match(r'(\w+)(\([^)]*\))?(.*)', rest, re.DOTALL).groups()
        if parameters is not None:
            parameters = [p.strip() for p in parameters[1:-1].split(',') if p.strip()]
        self.macros[name] = Macro(name, parameters, TOKEN.findall(body))
