//! C functions, closures and channels on one loop, from Rust.
//!
//!     $ ./example
//!     hypot(3, 4) = 5
//!     resize("b.png", 100) took 10 ms
//!     resize("a.png", 800) took 80 ms
//!     refused: resize: no parameter is called 'height'
//!     feed: 0 1 4 9 16
//!     a time limit of 30 ms: CORO_ETIMEOUT
//!     its resize was told to end: CORO_ESHUTDOWN
use coro::{Channel, Error, Target, Value};
use std::ffi::{CStr, CString};
use std::os::raw::{c_char, c_int};
use std::time::Duration;

extern "C" {
    fn hypot(x: f64, y: f64) -> f64;
    fn coro_test_set_virtual_time(on: bool) -> c_int; // so that the times above are exact
}

/// As a C library might have it. Gives the milliseconds that it took, or the error that interrupted it.
extern "C" fn resize(_path: *const c_char, width: c_int) -> c_int {
    let time = Duration::from_micros(100 * width as u64);
    match coro::sleep(time) {
        Ok(()) => time.as_millis() as c_int,
        Err(error) => error.code(),
    }
}

fn c_functions() -> Result<(), Error> {
    // SAFETY: that is its prototype; any numbers will do.
    let result: f64 = unsafe {
        let target = Target::register("double hypot(double x, double y)", hypot as *const ())?;
        target.spawn(&[3.into(), 4.into()])?.join()?
    };
    println!("hypot(3, 4) = {}", result);

    let target = unsafe { Target::register("int resize(const char *path, int width = 800)", resize as *const ())? };
    let (a, b) = (CString::new("a.png").unwrap(), CString::new("b.png").unwrap());
    let show = |path: &CStr, width: i32, time: i32| println!("resize({:?}, {}) took {} ms", path, width, time);
    // SAFETY: the paths are copied.
    let (slow, quick) = unsafe {
        (target.spawn(&[Value::Text(&a)])?, target.spawn_named(&[Value::Text(&b)], &[("width", 100.into())])?)
    };
    show(&b, 100, quick.join()?);
    show(&a, 800, slow.join()?);

    match unsafe { target.spawn_named(&[Value::Text(&a)], &[("height", 600.into())]) } {
        Ok(_) => println!("resize has a height"),
        Err(error) => println!("refused: {}", error.detail()),
    }
    Ok(())
}

fn channels() -> Result<(), Error> {
    let squares = Channel::new(2)?;
    let feed = squares.clone();
    let feeder = coro::spawn(move || -> Result<(), Error> {
        for n in 0..5 {
            feed.send(n * n)?;
        }
        feed.close();
        Ok(())
    })?;
    print!("feed:");
    for square in squares.iter() {
        print!(" {}", square);
    }
    println!();
    feeder.join()? // what went wrong with the coroutine; its own result is what went wrong in it
}

fn limits() -> Result<(), Error> {
    let path = CString::new("c.png").unwrap();
    // SAFETY: the path is copied.
    let slow = unsafe { Target::find("resize")?.spawn(&[Value::Text(&path), 10_000.into()])? };
    match coro::with_timeout(Duration::from_millis(30), || slow.join::<c_int>()) {
        Ok(_) => println!("it was quick"),
        Err(error) if error.is_timeout() => println!("a time limit of 30 ms: {}", error.name().unwrap_or_default()),
        Err(error) => return Err(error),
    }
    slow.shutdown()?;
    let code: c_int = slow.join()?; // a join that failed leaves the handle as it was
    println!("its resize was told to end: {}", Error::new(code, "").name().unwrap_or_default());
    Ok(())
}

fn main() -> Result<(), Error> {
    // SAFETY: nothing here waits in an initialiser of a thread_local, or has scoped ones.
    unsafe { coro::enable() };
    unsafe { coro_test_set_virtual_time(true) };
    c_functions()?;
    channels()?;
    limits()
}
