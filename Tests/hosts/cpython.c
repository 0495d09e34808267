/* CPython in coroutines: each has a thread state of its own, which the switch hooks make current; poll hooks give up the GIL
   while the loop waits. Usage: host_cpython PROGRAM */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <coro.h>

#include <stdio.h>

/* -- the hooks -- */

static void leave(void *context, coro_t co, void **state) {
    (void)context, (void)co;
    *state = PyThreadState_Swap(NULL);
}

static void enter(void *interpreter, coro_t co, void **state) {
    (void)co;
    if (*state == NULL) *state = PyThreadState_New(interpreter);
    PyThreadState_Swap(*state);
}

static void end(void *context, coro_t co, void **state) {
    (void)context, (void)co;
    PyThreadState *mine = PyThreadState_Get();
    PyThreadState_Clear(mine);
    PyThreadState_Swap(NULL);
    PyThreadState_Delete(mine);
    *state = NULL;
}

static void before_wait(void *waiting) {
    *(PyThreadState **)waiting = PyEval_SaveThread();
}

static void after_wait(void *waiting) {
    PyEval_RestoreThread(*(PyThreadState **)waiting);
}

static int set_hooks(void) {
    static PyThreadState *waiting;
    coro_switch_hooks hooks = CORO_SWITCH_HOOKS_INIT;
    coro_poll_hooks poll = CORO_POLL_HOOKS_INIT;
    hooks.context = PyInterpreterState_Get();
    hooks.leave = leave;
    hooks.enter = enter;
    hooks.end = end;
    poll.context = &waiting;
    poll.before_wait = before_wait;
    poll.after_wait = after_wait;
    int error = coro_set_switch_hooks(&hooks);
    return error < 0 ? error : coro_set_poll_hooks(&poll);
}

/* -- the module -- */

static PyObject *answer(int64_t result) {
    if (result >= 0) return PyLong_FromLongLong(result);
    return PyErr_Format(PyExc_RuntimeError, "%s: %s", coro_strerror((int)result), coro_error_detail());
}

static void *run(void *callable) {
    PyObject *result = PyObject_CallNoArgs(callable);
    Py_DECREF((PyObject *)callable);
    if (result == NULL) {
        PyErr_Print();
        return coro_fail(CORO_EDEAD, "an exception");
    }
    Py_DECREF(result);
    return NULL;
}

static PyObject *spawn(PyObject *module, PyObject *callable) {
    (void)module;
    return answer(coro_spawn(run, Py_NewRef(callable)));
}

static PyObject *join(PyObject *module, PyObject *id) {
    (void)module;
    return answer(coro_join(PyLong_AsLongLong(id), NULL, CORO_FOREVER));
}

static PyObject *sleep_for(PyObject *module, PyObject *seconds) {
    (void)module;
    return answer(coro_sleep((int64_t)(PyFloat_AsDouble(seconds) * 1e9)));
}

static PyMethodDef methods[] = {
    {"spawn", spawn, METH_O, NULL}, {"join", join, METH_O, NULL}, {"sleep", sleep_for, METH_O, NULL}, {NULL, NULL, 0, NULL}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "coro", NULL, -1, methods, NULL, NULL, NULL, NULL};

static PyObject *make_module(void) {
    return PyModule_Create(&module);
}

int main(int count, char **arguments) {
    FILE *program = count == 2 ? fopen(arguments[1], "r") : NULL;
    if (program == NULL) return perror("usage: host_cpython PROGRAM"), 2;
    PyImport_AppendInittab("coro", make_module);
    Py_Initialize();
    if (set_hooks() < 0) return 1;
    if (PyRun_SimpleFileEx(program, arguments[1], 1) != 0) return 1;
    coro_set_switch_hooks(NULL);
    coro_set_poll_hooks(NULL);
    return Py_FinalizeEx() < 0;
}
