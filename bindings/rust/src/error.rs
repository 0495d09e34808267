use crate::raw;
use std::any::Any;
use std::convert::Infallible;
use std::ffi::{CStr, CString};
use std::fmt;
use std::os::raw::{c_char, c_int};
use std::ptr;
use std::sync::Mutex;

pub(crate) type Payload = Box<dyn Any + Send>;

/// What a call of libcoro failed with, or a coroutine.
pub struct Error {
    code: i32,
    detail: String,
    panic: Option<Mutex<Payload>>, // which makes it Sync, as errors should be
}

impl Error {
    /// code: negative, as everywhere in coro.h: -errno, or one of `coro::raw::CORO_E...`.
    pub fn new(code: i32, detail: impl Into<String>) -> Error {
        Error { code, detail: detail.into(), panic: None }
    }

    /// That a call has just returned, with what the library has to say of it.
    pub(crate) fn last(code: i32) -> Error {
        // SAFETY: it is never NULL, and copied before anything else can fail.
        Error::new(code, text(unsafe { raw::coro_error_detail() }).unwrap_or_default())
    }

    pub(crate) fn with_panic(mut self, payload: Payload) -> Error {
        self.panic = Some(Mutex::new(payload));
        self
    }

    pub fn code(&self) -> i32 {
        self.code
    }

    /// What was wrong this time; empty if there is nothing to add.
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// "CORO_ETIMEOUT", "EBADF"; None for a code that has no name.
    pub fn name(&self) -> Option<String> {
        // SAFETY: NULL, or a text that lives as long as the process.
        text(unsafe { raw::coro_error_name(self.code) })
    }

    pub fn is_timeout(&self) -> bool {
        self.code == raw::CORO_ETIMEOUT
    }

    pub fn is_closed(&self) -> bool {
        self.code == raw::CORO_ECLOSED
    }

    /// Whoever gets this was told to end, by [`Coroutine::shutdown`](crate::Coroutine::shutdown).
    pub fn is_shutdown(&self) -> bool {
        self.code == raw::CORO_ESHUTDOWN
    }

    pub fn is_panic(&self) -> bool {
        self.panic.is_some()
    }

    /// What the coroutine panicked with, for [`std::panic::resume_unwind`]; the error itself, if it did not panic.
    pub fn into_panic(mut self) -> Result<Box<dyn Any + Send>, Error> {
        match self.panic.take() {
            Some(payload) => Ok(payload.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner())),
            None => Err(self),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // SAFETY: it is never NULL, and copied before the thread's next call of it.
        let meaning = text(unsafe { raw::coro_strerror(self.code) }).unwrap_or_default();
        match self.detail.as_str() {
            "" => write!(f, "{}", meaning),
            detail => write!(f, "{}: {}", meaning, detail),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.name().unwrap_or_else(|| self.code.to_string());
        write!(f, "Error({}, {:?})", name, self.detail)
    }
}

impl std::error::Error for Error {}

/// What can't fail has no error.
impl From<Infallible> for Error {
    fn from(never: Infallible) -> Error {
        match never {}
    }
}

/// 0 and more is a value, less an error.
pub(crate) fn check(code: c_int) -> Result<c_int, Error> {
    check_id(code.into()).map(|_| code)
}

pub(crate) fn check_id(id: i64) -> Result<i64, Error> {
    if id < 0 {
        Err(Error::last(id as i32)) // codes are ints
    } else {
        Ok(id)
    }
}

/// Makes the running coroutine fail, once its function returns.
pub(crate) fn fail(code: i32, message: &str) {
    // SAFETY: the message is copied.
    unsafe { raw::coro_fail(code, c_text(message).as_ptr()) };
}

/// What the panic said, as far as that is a text.
pub(crate) fn panic_message(payload: &Payload) -> &str {
    match (payload.downcast_ref::<&'static str>(), payload.downcast_ref::<String>()) {
        (Some(text), _) => text,
        (_, Some(text)) => text,
        _ => "a panic without a text",
    }
}

/// A C text ends at the first NUL.
pub(crate) fn c_text(text: &str) -> CString {
    let end = text.bytes().position(|byte| byte == 0).unwrap_or(text.len());
    CString::new(&text[..end]).unwrap_or_default()
}

/// What `call` writes into a buffer of that size, if it is told one; it returns the whole length.
pub(crate) fn text_by(call: impl Fn(*mut c_char, usize) -> c_int) -> Result<String, Error> {
    let length = check(call(ptr::null_mut(), 0))? as usize;
    let mut buffer = vec![0u8; length + 1];
    check(call(buffer.as_mut_ptr().cast(), buffer.len()))?;
    buffer.truncate(length);
    Ok(String::from_utf8_lossy(&buffer).into_owned())
}

/// NULL is None. (text: or a C text, which is copied.)
fn text(text: *const c_char) -> Option<String> {
    if text.is_null() {
        return None;
    }
    // SAFETY: see the callers.
    Some(unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned())
}
