use crate::coroutine::{contain, Coroutine};
use crate::error::{c_text, check, check_id, fail, panic_message, text_by, Error};
use crate::{may_suspend, nanoseconds, raw, require_enabled, Value};
use std::ffi::CString;
use std::mem::{size_of, transmute, MaybeUninit};
use std::ops::Deref;
use std::os::raw::{c_char, c_void};
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::ptr;
use std::time::Duration;

/// A function with its prototype, registered for all threads: see "Targets" in coro.h.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    id: raw::coro_target_t,
}

/// Declares a struct to the parser of prototypes: `register_struct("point", "double x; double y;")`.
pub fn register_struct(name: &str, fields: &str) -> Result<(), Error> {
    // SAFETY: both are copied.
    check(unsafe { raw::coro_struct_register(c_text(name).as_ptr(), c_text(fields).as_ptr()) }).map(|_| ())
}

impl Target {
    /// Registers a C function, or an `extern "C"` one: `Target::register("int resize(const char *path, int width = 800)",
    /// resize as *const ())`.
    ///
    /// # Safety
    /// `function` must be one of that prototype, and stay where it is. No panic may leave it.
    pub unsafe fn register(prototype: &str, function: *const ()) -> Result<Target, Error> {
        // SAFETY: function pointers are pointers; NULL is None.
        let function = unsafe { transmute::<*const (), raw::coro_function>(function) };
        // SAFETY: said by the caller.
        unsafe { register_with(prototype, function, ptr::null()) }
    }

    /// Registers a closure under a C prototype. It may wait. What it returns as an error the coroutine fails with, as with a
    /// panic. It is dropped when the target was unregistered and the last of its coroutines has ended.
    ///
    /// # Safety
    /// It must take the arguments, and set the result, as they are in the prototype: see [`Invocation`].
    pub unsafe fn register_closure<F>(prototype: &str, function: F) -> Result<Target, Error>
    where
        F: Fn(&Invocation) -> Result<(), Error> + Send + Sync + 'static,
    {
        let context = Box::into_raw(Box::new(function));
        let options = raw::coro_target_options {
            struct_size: size_of::<raw::coro_target_options>(),
            handler: Some(handle::<F>),
            context: context.cast(),
            release: Some(release::<F>),
            flags: 0,
            reserved: 0,
            stack_size: 0,
        };
        // SAFETY: `handle` and `release` take such a pointer.
        let registered = unsafe { register_with(prototype, None, &options) };
        if registered.is_err() {
            // SAFETY: nobody else has it: `release` is not called if registering failed.
            drop(unsafe { Box::from_raw(context) });
        }
        registered
    }

    /// The target of that name.
    pub fn find(name: &str) -> Result<Target, Error> {
        // SAFETY: the name is read by the call alone.
        check_id(unsafe { raw::coro_target_find(c_text(name).as_ptr()) }).map(|id| Target { id })
    }

    /// Takes it out of the registry. Coroutines of it run to their end.
    pub fn unregister(self) -> Result<(), Error> {
        // SAFETY: any id may be passed.
        check(unsafe { raw::coro_target_unregister(self.id) }).map(|_| ())
    }

    /// Its prototype, in one spelling.
    pub fn describe(self) -> Result<String, Error> {
        // SAFETY: no more is written than is said.
        text_by(|buffer, size| unsafe { raw::coro_target_describe(self.id, buffer, size) })
    }

    /// Runs it in a coroutine with these arguments. Those with defaults may be missing at the end, or [`Value::Default`].
    ///
    /// # Safety
    /// As to call it: what pointers point to must be there while it runs. (Texts for a `const char *` are copied.)
    pub unsafe fn spawn(self, arguments: &[Value<'_>]) -> Result<TargetHandle, Error> {
        // SAFETY: said by the caller.
        unsafe { self.spawn_named(arguments, &[]) }
    }

    /// The same with arguments by the names of their parameters, after those that go by their place.
    ///
    /// # Safety
    /// As `spawn`.
    pub unsafe fn spawn_named(self, first: &[Value<'_>], named: &[(&str, Value<'_>)]) -> Result<TargetHandle, Error> {
        require_enabled()?;
        let owned: Vec<CString> = named.iter().map(|(name, _)| c_text(name)).collect();
        let names: Vec<*const c_char> =
            first.iter().map(|_| ptr::null()).chain(owned.iter().map(|name| name.as_ptr())).collect();
        let values: Vec<raw::coro_value> =
            first.iter().chain(named.iter().map(|(_, value)| value)).map(|value| value.to_raw()).collect();
        // SAFETY: as many names as values; all are read before the call returns. The rest is said by the caller.
        let id = unsafe { raw::coro_spawn_kwargs(self.id, names.as_ptr(), values.as_ptr(), values.len() as i32) };
        Ok(TargetHandle { coroutine: Coroutine::new(check_id(id)?) })
    }
}

unsafe fn register_with(
    prototype: &str,
    function: raw::coro_function,
    options: *const raw::coro_target_options,
) -> Result<Target, Error> {
    // SAFETY: the prototype and the options are copied. The rest is said by the callers.
    let id = unsafe { raw::coro_target_register_with(c_text(prototype).as_ptr(), function, options) };
    check_id(id).map(|id| Target { id })
}

/// A coroutine that runs a target, to be joined for its result.
#[derive(Debug)]
pub struct TargetHandle {
    coroutine: Coroutine,
}

impl TargetHandle {
    /// Waits for its end, and gives the result as a `T`: `let size: i32 = handle.join()?;`, or a [`Value`]. Fails with what the
    /// target failed with; also if the caller is interrupted: then it may be joined again.
    pub fn join<T>(&self) -> Result<T, Error>
    where
        T: TryFrom<Value<'static>>,
        Error: From<T::Error>,
    {
        self.join_within(raw::CORO_FOREVER)
    }

    /// [`join`](TargetHandle::join) with a limit, after which the error [`is_timeout`](Error::is_timeout); zero only looks.
    pub fn join_timeout<T>(&self, limit: Duration) -> Result<T, Error>
    where
        T: TryFrom<Value<'static>>,
        Error: From<T::Error>,
    {
        self.join_within(nanoseconds(limit))
    }

    fn join_within<T>(&self, ns: i64) -> Result<T, Error>
    where
        T: TryFrom<Value<'static>>,
        Error: From<T::Error>,
    {
        may_suspend()?;
        let mut value = Value::Void.to_raw();
        // SAFETY: any id may be passed.
        check(unsafe { raw::coro_join_value(self.id, &mut value, ns) })?;
        Ok(T::try_from(Value::from_raw(&value))?)
    }

    /// [`join`](TargetHandle::join) for a result that is a struct.
    ///
    /// # Safety
    /// `T` must be laid out as that.
    pub unsafe fn join_struct<T: Copy>(&self) -> Result<T, Error> {
        may_suspend()?;
        let mut result = MaybeUninit::<T>::uninit();
        // SAFETY: another size is an error.
        let bytes = result.as_mut_ptr().cast::<c_void>();
        check(unsafe { raw::coro_join_result(self.id, bytes, size_of::<T>(), raw::CORO_FOREVER) })?;
        // SAFETY: the call succeeded; the rest is said by the caller.
        Ok(unsafe { result.assume_init() })
    }
}

impl Deref for TargetHandle {
    type Target = Coroutine;

    fn deref(&self) -> &Coroutine {
        &self.coroutine
    }
}

/// A call of a target that is a closure: its arguments, and where its result goes.
pub struct Invocation {
    result: *mut c_void,
    arguments: *const *mut c_void,
}

impl Invocation {
    /// # Safety
    /// The prototype must have an i-th parameter (the first is 0), of this type.
    pub unsafe fn argument<T: Copy>(&self, i: usize) -> T {
        // SAFETY: said by the caller.
        unsafe { **self.arguments.cast::<*const T>().add(i) }
    }

    /// # Safety
    /// The result must be of this type.
    pub unsafe fn set_result<T: Copy>(&self, value: T) {
        // SAFETY: said by the caller.
        unsafe { self.result.cast::<T>().write(value) }
    }
}

unsafe extern "C" fn handle<F>(context: *mut c_void, result: *mut c_void, arguments: *const *mut c_void)
where
    F: Fn(&Invocation) -> Result<(), Error>,
{
    // SAFETY: that of register_closure, which lives as long as any call of it.
    let function = unsafe { &*context.cast::<F>() };
    match catch_unwind(AssertUnwindSafe(|| function(&Invocation { result, arguments }))) {
        Ok(Ok(())) => {}
        Ok(Err(error)) => fail(error.code(), error.detail()),
        Err(payload) => {
            fail(raw::CORO_EFAILED, panic_message(&payload));
            contain(|| drop(payload));
        }
    }
}

unsafe extern "C" fn release<F>(function: *mut c_void) {
    // SAFETY: that of register_closure; this is called once.
    contain(|| drop(unsafe { Box::from_raw(function.cast::<F>()) }));
}
