use crate::error::{check, Error};
use crate::{may_suspend, raw};
use std::cell::Cell;
use std::fmt;
use std::marker::PhantomData;
use std::mem::{size_of, ManuallyDrop, MaybeUninit};
use std::os::raw::c_void;
use std::ptr::NonNull;
use std::rc::Rc;

const ENOMEM: i32 = 12;

/// Hands values from those who send to those who receive, first come first served on both sides. Clones are the same channel.
pub struct Channel<T> {
    shared: Rc<Shared<T>>,
}

struct Shared<T> {
    raw: NonNull<raw::coro_channel>,
    elements: PhantomData<Cell<T>>, // as a Cell: who may send a shorter lifetime must not be who receives a longer one
}

impl<T> Channel<T> {
    /// capacity: how many values it holds that nobody has received; 0: none, so that a send is done when somebody receives.
    pub fn new(capacity: usize) -> Result<Channel<T>, Error> {
        // SAFETY: elements are of any size; their alignment does not matter, since they are copied as bytes.
        let raw = unsafe { raw::coro_channel_new(size_of::<T>(), capacity) };
        match NonNull::new(raw) {
            Some(raw) => Ok(Channel { shared: Rc::new(Shared { raw, elements: PhantomData }) }),
            None => Err(Error::last(-ENOMEM)),
        }
    }

    /// Waits until there is room, or somebody who receives it. A value that could not be sent is in the error.
    pub fn send(&self, value: T) -> Result<(), SendError<T>> {
        match may_suspend() {
            Ok(()) => self.shared.send_by(raw::coro_channel_send, value),
            Err(error) => Err(SendError { error, value }),
        }
    }

    /// The same without waiting: the error is -EAGAIN if it would have to.
    pub fn try_send(&self, value: T) -> Result<(), SendError<T>> {
        self.shared.send_by(raw::coro_channel_try_send, value)
    }

    /// Waits for the next value. The error [`is_closed`](Error::is_closed) when there will be none any more.
    pub fn receive(&self) -> Result<T, Error> {
        may_suspend()?;
        self.shared.receive_by(raw::coro_channel_receive)
    }

    /// The same without waiting: the error is -EAGAIN if it would have to.
    pub fn try_receive(&self) -> Result<T, Error> {
        self.shared.receive_by(raw::coro_channel_try_receive)
    }

    /// Says that nothing more will be sent: those who wait to send keep their values; what it holds can still be received.
    pub fn close(&self) {
        // SAFETY: the channel lives as long as `self`, on this thread.
        unsafe { raw::coro_channel_close(self.shared.raw.as_ptr()) };
    }

    /// How many values it holds.
    pub fn len(&self) -> usize {
        // SAFETY: the channel lives as long as `self`, on this thread.
        unsafe { raw::coro_channel_length(self.shared.raw.as_ptr()) }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What is received, up to when the channel is closed. It ends as well if waiting fails otherwise; who has to know why
    /// calls [`receive`](Channel::receive).
    pub fn iter(&self) -> impl Iterator<Item = T> + '_ {
        std::iter::from_fn(move || self.receive().ok())
    }
}

impl<T> Clone for Channel<T> {
    fn clone(&self) -> Channel<T> {
        Channel { shared: self.shared.clone() }
    }
}

type SendCall = unsafe extern "C" fn(*mut raw::coro_channel, *const c_void) -> i32;
type ReceiveCall = unsafe extern "C" fn(*mut raw::coro_channel, *mut c_void) -> i32;

impl<T> Shared<T> {
    fn send_by(&self, call: SendCall, value: T) -> Result<(), SendError<T>> {
        let value = ManuallyDrop::new(value);
        // SAFETY: the channel lives as long as `self`. If the call succeeds, the value was moved, and is none of ours any more.
        match check(unsafe { call(self.raw.as_ptr(), (&value as *const ManuallyDrop<T>).cast()) }) {
            Ok(_) => Ok(()),
            Err(error) => Err(SendError { error, value: ManuallyDrop::into_inner(value) }),
        }
    }

    fn receive_by(&self, call: ReceiveCall) -> Result<T, Error> {
        let mut value = MaybeUninit::<T>::uninit();
        // SAFETY: the channel lives as long as `self`, and its elements are values of T that were sent.
        check(unsafe { call(self.raw.as_ptr(), value.as_mut_ptr().cast()) })?;
        // SAFETY: the call succeeded.
        Ok(unsafe { value.assume_init() })
    }
}

/// Nobody waits in it any more: who did would have a clone.
impl<T> Drop for Shared<T> {
    fn drop(&mut self) {
        while self.receive_by(raw::coro_channel_try_receive).is_ok() {}
        // SAFETY: made by new(), freed once, and on the thread that made it, since an Rc never leaves that.
        unsafe { raw::coro_channel_free(self.raw.as_ptr()) };
    }
}

/// The value that could not be sent, and why.
pub struct SendError<T> {
    pub error: Error,
    pub value: T,
}

impl<T> From<SendError<T>> for Error {
    fn from(failed: SendError<T>) -> Error {
        failed.error
    }
}

impl<T> fmt::Display for SendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl<T> fmt::Debug for SendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.error, f)
    }
}

impl<T> std::error::Error for SendError<T> {}
