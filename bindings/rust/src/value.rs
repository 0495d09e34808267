use crate::error::Error;
use crate::raw;
use std::ffi::CStr;
use std::mem::{size_of_val, MaybeUninit};
use std::os::raw::c_void;

/// An argument of a target, or its result. Numbers are converted to their parameter's type where nothing is lost.
#[derive(Clone, Copy, Debug)]
pub enum Value<'a> {
    /// There is no result.
    Void,
    /// The parameter's default.
    Default,
    Signed(i64),
    Unsigned(u64),
    Double(f64),
    /// For a `const char *`, which is copied.
    Text(&'a CStr),
    Pointer(*const c_void),
    /// A struct, as its bytes: [`Value::of_struct`].
    Struct(&'a [MaybeUninit<u8>]),
}

impl<'a> Value<'a> {
    pub fn of_struct<T: Copy>(value: &'a T) -> Value<'a> {
        // SAFETY: any value's bytes, of which some may not be initialised.
        Value::Struct(unsafe { std::slice::from_raw_parts((value as *const T).cast(), size_of_val(value)) })
    }

    pub(crate) fn to_raw(self) -> raw::coro_value {
        let (kind, as_) = match self {
            Value::Void => (raw::CORO_VALUE_VOID, raw::coro_value_as { u: 0 }),
            Value::Default => (raw::CORO_VALUE_DEFAULT, raw::coro_value_as { u: 0 }),
            Value::Signed(i) => (raw::CORO_VALUE_SIGNED, raw::coro_value_as { i }),
            Value::Unsigned(u) => (raw::CORO_VALUE_UNSIGNED, raw::coro_value_as { u }),
            Value::Double(d) => (raw::CORO_VALUE_DOUBLE, raw::coro_value_as { d }),
            Value::Text(text) => (raw::CORO_VALUE_POINTER, raw::coro_value_as { p: text.as_ptr().cast() }),
            Value::Pointer(p) => (raw::CORO_VALUE_POINTER, raw::coro_value_as { p }),
            Value::Struct(bytes) => (raw::CORO_VALUE_BYTES, raw::coro_value_as { p: bytes.as_ptr().cast() }),
        };
        let size = if let Value::Struct(bytes) = self { bytes.len() as u32 } else { 0 };
        raw::coro_value { kind, size, as_ }
    }

    /// value: a result, and no struct.
    pub(crate) fn from_raw(value: &raw::coro_value) -> Value<'static> {
        // SAFETY: `kind` says which member is there; all of them are plain numbers.
        unsafe {
            match value.kind {
                raw::CORO_VALUE_SIGNED => Value::Signed(value.as_.i),
                raw::CORO_VALUE_UNSIGNED => Value::Unsigned(value.as_.u),
                raw::CORO_VALUE_DOUBLE => Value::Double(value.as_.d),
                raw::CORO_VALUE_POINTER => Value::Pointer(value.as_.p),
                _ => Value::Void,
            }
        }
    }
}

macro_rules! integers {
    ($variant:ident, $wide:ty: $($type:ty)*) => {$(
        impl From<$type> for Value<'_> {
            fn from(value: $type) -> Self {
                Value::$variant(value as $wide) // which loses nothing
            }
        }

        impl TryFrom<Value<'_>> for $type {
            type Error = Error;

            fn try_from(value: Value<'_>) -> Result<$type, Error> {
                let narrowed = match value {
                    Value::Signed(i) => <$type>::try_from(i).ok(),
                    Value::Unsigned(u) => <$type>::try_from(u).ok(),
                    _ => None,
                };
                narrowed.ok_or_else(|| unlike(value, stringify!($type)))
            }
        }
    )*};
}

integers!(Signed, i64: i8 i16 i32 i64 isize);
integers!(Unsigned, u64: u8 u16 u32 u64 usize);

fn unlike(value: Value<'_>, wanted: &str) -> Error {
    const EINVAL: i32 = 22;
    Error::new(-EINVAL, format!("{:?} is not a value of {}", value, wanted))
}

macro_rules! others {
    ($($type:ty: $pattern:pat => $from:expr, |$given:ident| $to:expr;)*) => {$(
        impl From<$type> for Value<'_> {
            fn from($given: $type) -> Self {
                $to
            }
        }

        impl TryFrom<Value<'_>> for $type {
            type Error = Error;

            fn try_from(value: Value<'_>) -> Result<$type, Error> {
                match value {
                    $pattern => Ok($from),
                    _ => Err(unlike(value, stringify!($type))),
                }
            }
        }
    )*};
}

others! {
    bool: Value::Unsigned(u @ (0 | 1)) => u == 1, |given| Value::Unsigned(given.into());
    f32: Value::Double(d) => d as f32, |given| Value::Double(given.into());
    f64: Value::Double(d) => d, |given| Value::Double(given);
    *const c_void: Value::Pointer(p) => p, |given| Value::Pointer(given);
    (): Value::Void => (), |_given| Value::Void;
}

impl<'a> From<&'a CStr> for Value<'a> {
    fn from(text: &'a CStr) -> Self {
        Value::Text(text)
    }
}
