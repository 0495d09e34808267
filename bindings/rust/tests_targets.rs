//! Targets: C functions and closures by prototype.

use super::{begin, ms, records};
use coro::{raw, register_struct, Error, Target, Value};
use std::ffi::{CStr, CString};
use std::os::raw::{c_char, c_int, c_void};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::Arc;

extern "C" fn widened(small: i8, byte: u8, half: i16, wide: u64, float: f32) -> f64 {
    f64::from(small) + f64::from(byte) + f64::from(half) + wide as f64 + f64::from(float)
}

/// Waits between looking at its text and looking at it again: it must be a copy by then.
extern "C" fn length(text: *const c_char, times: c_int) -> usize {
    // SAFETY: libcoro gives us a copy.
    let before = unsafe { CStr::from_ptr(text) }.to_bytes().len();
    coro::sleep(ms(5)).unwrap();
    assert_eq!(before, unsafe { CStr::from_ptr(text) }.to_bytes().len());
    before * times as usize
}

extern "C" fn negated(small: i8) -> i8 {
    small.wrapping_neg()
}

extern "C" fn is_odd(n: u64) -> bool {
    n % 2 == 1
}

extern "C" fn nothing() {}

extern "C" fn failing(code: c_int) -> c_int {
    let message = CString::new("said by the target").unwrap();
    // SAFETY: a C text.
    unsafe { raw::coro_fail(code, message.as_ptr()) };
    1
}

#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq)]
struct Point {
    x: f64,
    y: c_int,
}

extern "C" fn mirrored(point: Point) -> Point {
    Point { x: -point.x, y: -point.y }
}

#[test]
fn c_functions_run_by_their_prototypes() {
    begin();
    unsafe {
        let sum = "double widened(int8_t a, unsigned char b, short c, unsigned long long d, float e)";
        let target = Target::register(sum, widened as *const ()).unwrap();
        let arguments = [(-1i8).into(), 2u8.into(), (-3i16).into(), (1u64 << 40).into(), 0.5f32.into()];
        let result: f64 = target.spawn(&arguments).unwrap().join().unwrap();
        assert_eq!(result, -2.0 + (1u64 << 40) as f64 + 0.5);

        let target = Target::register("int8_t negated(int8_t small)", negated as *const ()).unwrap();
        assert_eq!(target.spawn(&[100.into()]).unwrap().join::<i8>().unwrap(), -100);
        let error = target.spawn(&[300.into()]).unwrap_err();
        assert!(error.name().as_deref() == Some("ERANGE") && error.detail().contains("small"), "{:?}", error);
        let error = target.spawn(&[1.5.into()]).unwrap_err();
        assert!(error.name().as_deref() == Some("EINVAL") && error.detail().contains("small"), "{:?}", error);
        let error = target.spawn(&[]).unwrap_err();
        assert!(error.name().as_deref() == Some("EINVAL") && error.detail().contains("small"), "{:?}", error);
        let error = target.spawn(&[1.into()]).unwrap().join::<f64>().unwrap_err();
        assert!(error.detail().contains("Signed(-1) is not a value of f64"), "{:?}", error);

        let target = Target::register("bool is_odd(uint64_t)", is_odd as *const ()).unwrap();
        assert!(target.spawn(&[u64::MAX.into()]).unwrap().join::<bool>().unwrap());
        let target = Target::register("void nothing(void)", nothing as *const ()).unwrap();
        target.spawn(&[]).unwrap().join::<()>().unwrap();
        assert!(matches!(target.spawn(&[]).unwrap().join::<Value>().unwrap(), Value::Void));
    }
    assert_eq!(records(), 0);
}

#[test]
fn texts_are_copied_and_parameters_have_names_and_defaults() {
    begin();
    // SAFETY: the texts are copied.
    unsafe {
        let prototype = "size_t length( char const*text,int times=2 )";
        let target = Target::register(prototype, length as *const ()).unwrap();
        assert_eq!(target.describe().unwrap(), "size_t length(const char *text, int times = 2)");
        assert_eq!(Target::find("length").unwrap(), target);
        let text = CString::new("four").unwrap();
        let by_default = target.spawn(&[Value::Text(&text)]).unwrap();
        let by_place = target.spawn(&[Value::Text(&text), Value::Default]).unwrap();
        let by_name = target.spawn_named(&[], &[("times", 3.into()), ("text", Value::Text(&text))]).unwrap();
        drop(text);
        assert_eq!(by_name.join::<usize>().unwrap(), 12);
        assert_eq!(by_default.join::<usize>().unwrap() + by_place.join::<usize>().unwrap(), 16);
        target.unregister().unwrap();
        assert_eq!(Target::find("length").unwrap_err().name().as_deref(), Some("ENOENT"));
    }
}

#[test]
fn structs_are_passed_by_value() {
    begin();
    register_struct("rust_point", "double x; int y;").unwrap();
    let point = Point { x: 1.5, y: 7 };
    unsafe {
        let target = Target::register("rust_point mirrored(struct rust_point p)", mirrored as *const ()).unwrap();
        let handle = target.spawn(&[Value::of_struct(&point)]).unwrap();
        assert_eq!(handle.join_struct::<Point>().unwrap(), Point { x: -1.5, y: -7 });
        let handle = target.spawn(&[Value::of_struct(&point)]).unwrap();
        assert_eq!(handle.join_struct::<u8>().unwrap_err().name().as_deref(), Some("EINVAL"));
    }
}

#[test]
fn a_target_that_fails_fails_the_join() {
    begin();
    unsafe {
        let target = Target::register("int failing(int code)", failing as *const ()).unwrap();
        let error = target.spawn(&[(-5).into()]).unwrap().join::<c_int>().unwrap_err();
        assert_eq!((error.name().as_deref(), error.detail()), (Some("EIO"), "said by the target"));

        let error = Target::register("int failing(int", failing as *const ()).unwrap_err();
        assert!(error.detail().contains("line 1"), "{:?}", error);
        let error = Target::register("int failing(int)", failing as *const ()).unwrap_err();
        assert_eq!(error.name().as_deref(), Some("EEXIST"));
        assert_eq!(Target::register("int null(int)", std::ptr::null()).unwrap_err().name().as_deref(), Some("EINVAL"));
    }
}

#[test]
fn closures_are_targets_and_may_wait() {
    begin();
    let calls = Arc::new(AtomicU32::new(0));
    let counted = calls.clone();
    // SAFETY: the types are those of the prototype.
    let target = unsafe {
        Target::register_closure("int64_t tripled(int64_t n, int ms = 1)", move |call| {
            let (n, time) = (call.argument::<i64>(0), call.argument::<c_int>(1));
            coro::sleep(ms(time as u64))?;
            counted.fetch_add(1, Ordering::Relaxed);
            match n {
                0 => return Err(Error::new(-22, "nothing to triple")),
                1 => panic!("one is too few"),
                _ => call.set_result(n * 3),
            }
            Ok(())
        })
        .unwrap()
    };
    // In the order 9 8 7 ..., so that they end the other way round.
    let handles: Vec<_> = (2..10).map(|n| unsafe { target.spawn(&[n.into(), (20 - n).into()]).unwrap() }).collect();
    for (i, handle) in handles.iter().enumerate() {
        assert_eq!(handle.join::<i64>().unwrap(), (i as i64 + 2) * 3);
    }
    let fails = |n: i32| unsafe { target.spawn(&[n.into()]).unwrap().join::<i64>().unwrap_err() };
    assert_eq!((fails(0).code(), fails(0).detail().to_owned()), (-22, "nothing to triple".to_owned()));
    assert_eq!((fails(1).code(), fails(1).detail().to_owned()), (raw::CORO_EFAILED, "one is too few".to_owned()));
    assert_eq!(calls.load(Ordering::Relaxed), 12);

    // The closure lives as long as anything that was made of the target.
    let last = unsafe { target.spawn(&[5.into()]).unwrap() };
    target.unregister().unwrap();
    assert_eq!(Arc::strong_count(&calls), 2);
    assert_eq!(last.join::<i64>().unwrap(), 15);
    assert_eq!(Arc::strong_count(&calls), 1);
    let refused = unsafe { Target::register_closure("not a prototype", |_| Ok(())) };
    assert!(refused.unwrap_err().detail().contains("line 1"));
}

#[test]
fn pointers_are_passed_as_they_are() {
    begin();
    extern "C" fn identity(p: *mut c_void) -> *mut c_void {
        p
    }
    let mut here = 1;
    let pointer: *const c_void = (&mut here as *mut i32).cast();
    unsafe {
        let target = Target::register("void *identity(void *)", identity as *const ()).unwrap();
        assert_eq!(target.spawn(&[pointer.into()]).unwrap().join::<*const c_void>().unwrap(), pointer);
        let error = target.spawn(&[1.into()]).unwrap_err();
        assert_eq!(error.name().as_deref(), Some("EINVAL"));
    }
}
