//! Tests of the crate. Each runs on a thread of its own, with a loop of its own, in virtual time.

use coro::{raw, sleep, spawn, with_timeout, Builder, Channel, Error};
use std::cell::{Cell, RefCell};
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::rc::Rc;
use std::time::Duration;

#[path = "tests_targets.rs"]
mod targets;

fn begin() {
    // SAFETY: nothing here waits in an initialiser of a thread_local, or has scoped ones.
    unsafe { coro::enable() };
    // SAFETY: nothing has been asked for the time yet on this thread.
    assert_eq!(unsafe { raw::coro_test_set_virtual_time(true) }, 0);
}

fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// Records that are kept: none should be left at a test's end.
fn records() -> i64 {
    // SAFETY: nothing is passed.
    unsafe { raw::coro_get_live_coros() }
}

/// Counts in `counter` when it is dropped.
struct Counted(Rc<Cell<u32>>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.set(self.0.get() + 1);
    }
}

/// Run by itself: the others enable coroutines.
#[test]
#[ignore]
fn nothing_is_spawned_before_coroutines_are_enabled() {
    let error = spawn(|| ()).err().expect("an error");
    assert_eq!(error.name().as_deref(), Some("EPERM"));
    assert!(error.detail().contains("coro::enable()"), "{:?}", error);
}

/// Run by itself, below.
#[test]
#[ignore]
fn overflows_its_stack() {
    begin();
    fn deep(n: u64) -> u64 {
        let kept = [n; 100];
        kept[n as usize % 100] + if n == u64::MAX { 0 } else { deep(n + 1) }
    }
    let handle = Builder::new().name("bottomless").spawn(|| deep(0)).unwrap();
    println!("{}", handle.join().unwrap());
}

#[test]
fn an_overflow_of_a_stack_ends_the_process_with_a_report() {
    let this = std::env::current_exe().unwrap();
    let child = std::process::Command::new(this).args(["--ignored", "--exact", "--nocapture", "overflows_its_stack"]).output();
    let child = child.unwrap();
    let report = String::from_utf8_lossy(&child.stderr);
    assert!(child.status.code().is_none() && report.contains("bottomless") && report.contains("stack"), "{}", report);
}

/// Compiles if the type is not Send: else it could be either of the two implementations.
macro_rules! assert_stays_on_its_thread {
    ($($type:ty)*) => {$({
        trait Ambiguous<Which> {
            fn is() {}
        }
        impl<T: ?Sized> Ambiguous<()> for T {}
        impl<T: ?Sized + Send> Ambiguous<u8> for T {}
        <$type as Ambiguous<_>>::is();
    })*};
}

#[test]
fn what_belongs_to_a_thread_stays_on_it() {
    assert_stays_on_its_thread!(coro::Coroutine coro::JoinHandle<u8> coro::TargetHandle Channel<u8>);
    fn assert_is_an_error<T: std::error::Error + Send + Sync + 'static>() {}
    assert_is_an_error::<Error>();
}

#[test]
fn results_of_any_type_are_joined() {
    begin();
    let number = spawn(|| 42).unwrap();
    let text = spawn(|| String::from("moved out")).unwrap();
    let nothing = spawn(|| ()).unwrap();
    let inner = spawn(|| spawn(|| vec![1, 2, 3]).unwrap().join().unwrap()).unwrap();
    assert_eq!(inner.join().unwrap(), [1, 2, 3]);
    assert_eq!((number.join().unwrap(), text.join().unwrap(), nothing.join().unwrap()), (42, "moved out".into(), ()));
    assert_eq!(number.join().unwrap_err().code(), raw::CORO_EDEAD); // a result is given once

    let shared = Rc::new(spawn(|| sleep(ms(5)).map(|_| "for the first")).unwrap());
    let joiners: Vec<_> = (0..2).map(|_| shared.clone()).map(|shared| spawn(move || shared.join()).unwrap()).collect();
    assert_eq!(joiners[0].join().unwrap().unwrap().unwrap(), "for the first");
    let error = joiners[1].join().unwrap().unwrap_err();
    assert!(error.code() == raw::CORO_EDEAD && error.detail() == "its result was taken already", "{:?}", error);
    drop((joiners, shared));
    assert_eq!(records(), 0);
}

#[test]
fn names_and_ids_are_the_librarys() {
    begin();
    assert_eq!(coro::current(), None);
    let named = Builder::new().name("indexer").stack_size(64 << 10).spawn(coro::current).unwrap();
    assert_eq!(named.name().unwrap(), "indexer");
    assert!(named.is_alive());
    assert_eq!(named.join().unwrap(), Some(named.id()));
    assert!(!named.is_alive());
    let error = Builder::new().stack_size(1).spawn(|| ()).err().expect("too small");
    assert_eq!(error.name().as_deref(), Some("EINVAL"));
}

#[test]
fn coroutines_that_share_an_rc_end_in_any_order() {
    begin();
    let ended = Rc::new(RefCell::new(Vec::new()));
    let handles: Vec<_> = (0..1000u64)
        .map(|i| {
            let ended = ended.clone();
            spawn(move || {
                let time = i * 7919 % 1000; // each of 0 ..< 1000 once
                let kept: Vec<u64> = (0..time % 50).collect();
                sleep(ms(1 + time)).unwrap();
                ended.borrow_mut().push(time);
                assert_eq!(kept.len() as u64, time % 50);
                time
            })
            .unwrap()
        })
        .collect();
    for (i, handle) in handles.iter().enumerate() {
        assert_eq!(handle.join().unwrap(), i as u64 * 7919 % 1000);
    }
    assert!(ended.borrow().iter().copied().eq(0..1000));
    assert_eq!(records(), 0);
}

#[test]
fn threads_have_loops_of_their_own() {
    begin();
    let threads: Vec<_> = (0..4)
        .map(|n| {
            std::thread::spawn(move || {
                let handles: Vec<_> = (0..10).map(|i| spawn(move || sleep(ms(1)).map(|_| n * i)).unwrap()).collect();
                handles.iter().map(|handle| handle.join().unwrap().unwrap()).sum::<u32>()
            })
        })
        .collect();
    assert_eq!(threads.into_iter().map(|thread| thread.join().unwrap()).sum::<u32>(), 45 * 6);
}

#[test]
fn a_loop_runs_until_it_is_told_to_end_or_is_idle() {
    begin();
    // SAFETY: it takes any value.
    unsafe { raw::coro_set_print_exit_string(false) };
    let exit = spawn(|| {
        sleep(ms(5)).unwrap();
        coro::set_exit(7);
    });
    assert_eq!(coro::event_loop().unwrap(), 7);
    exit.unwrap().join().unwrap();
    let slept = spawn(|| sleep(ms(5)).is_ok()).unwrap();
    assert_eq!(coro::run_until_idle().unwrap(), 0);
    assert!(!slept.is_alive());
    assert!(slept.join_timeout(ms(0)).unwrap());
    assert_eq!(spawn(coro::event_loop).unwrap().join().unwrap().unwrap_err().name().as_deref(), Some("CORO_ELOOPRUNNING"));
}

// -- ends that are no returns --

#[test]
fn a_panic_is_carried_to_who_joins() {
    begin();
    let lives = Rc::new(Cell::new(0));
    let counted = Counted(lives.clone());
    let literal = spawn(|| -> () { panic!("a literal") }).unwrap();
    let text = spawn(move || -> u8 {
        let _kept = counted;
        sleep(ms(1)).unwrap();
        panic!("formatted: {:?}", coro::current())
    })
    .unwrap();
    let other = spawn(|| sleep(ms(2)).map(|_| std::thread::panicking())).unwrap();

    let error = literal.join().unwrap_err();
    assert!(error.is_panic() && error.code() == raw::CORO_EFAILED && error.detail() == "a literal", "{:?}", error);
    assert_eq!(*error.into_panic().unwrap().downcast::<&str>().unwrap(), "a literal");

    let error = text.join().unwrap_err();
    assert_eq!(*error.into_panic().unwrap().downcast::<String>().unwrap(), format!("formatted: {:?}", Some(text.id())));
    assert_eq!(lives.get(), 1); // it was unwound
    assert!(!other.join().unwrap().unwrap());
    let error = catch_unwind(|| Error::new(raw::CORO_EFAILED, "").into_panic().err().map(|e| e.code())).unwrap();
    assert_eq!(error, Some(raw::CORO_EFAILED));
}

/// ctest sets RUST_BACKTRACE.
#[test]
fn a_panic_with_a_backtrace_fits_the_default_stack() {
    begin();
    fn deep(n: u32) -> u32 {
        if n == 0 {
            panic!("with a backtrace")
        }
        1 + deep(n - 1)
    }
    for _ in 0..3 {
        let handle = spawn(|| deep(20)).unwrap();
        assert_eq!(handle.join().unwrap_err().detail(), "with a backtrace");
    }
}

#[test]
fn panics_are_caught_in_the_coroutine_that_catches() {
    begin();
    let handles: Vec<_> = (0..20u64)
        .map(|i| {
            spawn(move || {
                let caught = catch_unwind(AssertUnwindSafe(|| {
                    sleep(ms(1 + i * 7 % 20)).unwrap(); // others catch and panic meanwhile
                    std::panic::resume_unwind(Box::new(i));
                }));
                sleep(ms(5)).unwrap();
                *caught.unwrap_err().downcast::<u64>().unwrap()
            })
            .unwrap()
        })
        .collect();
    for (i, handle) in handles.iter().enumerate() {
        assert_eq!(handle.join().unwrap(), i as u64);
    }
}

#[test]
fn nothing_waits_while_a_panic_unwinds() {
    begin();
    struct Sleeper(Channel<&'static str>, Rc<RefCell<Vec<Error>>>);
    impl Drop for Sleeper {
        fn drop(&mut self) {
            let mut errors = self.1.borrow_mut();
            errors.push(sleep(ms(1)).unwrap_err());
            errors.push(coro::yield_now().unwrap_err());
            errors.push(self.0.send("in vain").unwrap_err().error);
            errors.push(self.0.receive().unwrap_err());
            errors.push(spawn(|| ()).unwrap().join().unwrap_err());
            self.0.try_send("does not wait").unwrap();
        }
    }
    let (channel, errors) = (Channel::new(1).unwrap(), Rc::new(RefCell::new(Vec::new())));
    let sleeper = Sleeper(channel.clone(), errors.clone());
    let doomed = spawn(move || {
        let _sleeper = sleeper;
        panic!("unwinding")
    })
    .unwrap();
    let doomed: Result<(), _> = doomed.join();
    assert_eq!(doomed.unwrap_err().detail(), "unwinding");
    assert_eq!(errors.borrow().len(), 5);
    for error in errors.borrow().iter() {
        assert_eq!(error.code(), raw::CORO_EYIELDFROMMAIN);
        assert!(error.detail().contains("a panic unwinds"), "{:?}", error);
    }
    assert_eq!(channel.receive().unwrap(), "does not wait");
}

#[test]
fn who_is_told_to_end_is_told_by_an_error() {
    begin();
    let waiting = spawn(|| sleep(Duration::MAX).unwrap_err().is_shutdown()).unwrap();
    sleep(ms(1)).unwrap();
    waiting.shutdown().unwrap();
    assert!(waiting.join().unwrap());

    let dropped = Rc::new(Cell::new(0));
    let counted = Counted(dropped.clone());
    let unborn = spawn(move || drop(counted)).unwrap();
    unborn.shutdown().unwrap();
    assert_eq!(dropped.get(), 1);
    assert!(unborn.join().unwrap_err().is_shutdown());

    let interrupted = spawn(|| sleep(ms(9)).unwrap_err().code()).unwrap();
    sleep(ms(1)).unwrap();
    interrupted.interrupt().unwrap();
    assert_eq!(interrupted.join().unwrap(), raw::CORO_EINTERRUPTED);
    assert_eq!(records(), 0);
}

#[test]
fn a_dropped_handle_detaches() {
    begin();
    let dropped = Rc::new(Cell::new(0));
    for wait in [0, 5] {
        let counted = Counted(dropped.clone());
        drop(spawn(move || sleep(ms(wait)).map(|_| counted)));
    }
    sleep(ms(10)).unwrap();
    assert_eq!((dropped.get(), records()), (2, 0));

    // One that has ended: its result goes with the handle.
    let counted = Counted(dropped.clone());
    let ended = spawn(move || counted).unwrap();
    sleep(ms(1)).unwrap();
    assert_eq!((dropped.get(), records()), (2, 1));
    drop(ended);
    assert_eq!((dropped.get(), records()), (3, 0));
}

#[test]
fn a_result_that_panics_when_it_is_dropped_harms_nobody() {
    begin();
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("dropped");
        }
    }
    drop(spawn(|| Bomb));
    let cancelled = Bomb;
    let unborn = spawn(move || std::mem::forget(cancelled)).unwrap();
    unborn.shutdown().unwrap();
    sleep(ms(1)).unwrap();
    assert!(unborn.join().unwrap_err().is_shutdown());
    assert_eq!(records(), 0);
}

// -- limits of time --

#[test]
fn a_join_that_fails_leaves_the_handle() {
    begin();
    let slow = spawn(|| sleep(ms(50)).map(|_| "done")).unwrap();
    assert!(slow.join_timeout(ms(10)).unwrap_err().is_timeout());
    assert!(with_timeout(ms(10), || slow.join()?).unwrap_err().is_timeout());
    let patient = spawn(move || slow.join().unwrap().unwrap()).unwrap();
    assert_eq!(patient.join().unwrap(), "done");
}

#[test]
fn everybody_can_tell_their_own_limit() {
    begin();
    let inner = with_timeout(ms(50), || {
        let limited = with_timeout(ms(10), || sleep(ms(100)));
        assert!(limited.unwrap_err().is_timeout());
        sleep(ms(10)).map(|_| 1)
    });
    assert_eq!(inner.unwrap(), 1);

    let outer = with_timeout(ms(10), || {
        let limited = with_timeout(ms(50), || sleep(ms(100)));
        assert_eq!(limited.as_ref().unwrap_err().code(), raw::CORO_EINTERRUPTED);
        limited
    });
    assert!(outer.unwrap_err().is_timeout());

    // Who makes nothing of it is told all the same.
    let deaf = with_timeout(ms(10), || {
        let _ = sleep(ms(100));
        Ok("went on")
    });
    assert!(deaf.unwrap_err().is_timeout());
    let failed: Result<(), Error> = with_timeout(ms(10), || Err(Error::new(-5, "its own")));
    assert_eq!(failed.unwrap_err().detail(), "its own");
}

#[test]
fn a_panic_ends_the_scopes_it_unwinds() {
    begin();
    let handle = spawn(|| {
        let caught = catch_unwind(|| with_timeout(ms(1), || -> Result<(), Error> { panic!("in a scope") }));
        (caught.is_err(), sleep(ms(10)))
    });
    let (caught, slept) = handle.unwrap().join().unwrap();
    assert!(caught);
    slept.unwrap();
}

// -- channels --

#[test]
fn values_are_moved_through_channels() {
    begin();
    for capacity in [0, 1, 3] {
        let channel = Channel::new(capacity).unwrap();
        let sender = channel.clone();
        let sending = spawn(move || {
            for i in 0..10 {
                sender.send(format!("number {}", i))?;
            }
            sender.close();
            Ok::<(), Error>(())
        });
        let received: Vec<String> = channel.iter().collect();
        assert!(received.iter().cloned().eq((0..10).map(|i| format!("number {}", i))), "{:?}", received);
        sending.unwrap().join().unwrap().unwrap();
        assert!(channel.receive().unwrap_err().is_closed());
        let refused = channel.send("late".into()).unwrap_err();
        assert!(refused.error.is_closed() && refused.value == "late");
    }
}

#[test]
fn values_that_nobody_receives_are_dropped_once() {
    begin();
    let dropped = Rc::new(Cell::new(0));
    let channel = Channel::new(2).unwrap();
    channel.try_send(Counted(dropped.clone())).unwrap();
    channel.try_send(Counted(dropped.clone())).unwrap();
    let refused = channel.try_send(Counted(dropped.clone())).unwrap_err();
    assert_eq!((refused.error.name().as_deref(), channel.len(), dropped.get()), (Some("EAGAIN"), 2, 0));
    drop(refused);
    assert_eq!(dropped.get(), 1);
    drop(channel.try_receive().unwrap());
    assert_eq!(dropped.get(), 2);

    // A sender that is interrupted keeps its value.
    channel.try_send(Counted(dropped.clone())).unwrap();
    let counted = Counted(dropped.clone());
    let given_back = with_timeout(ms(1), || channel.send(counted).map_err(Error::from)).unwrap_err();
    assert!(given_back.is_timeout());
    assert_eq!(dropped.get(), 3);
    drop(channel);
    assert_eq!(dropped.get(), 5);
}

#[test]
fn values_without_bytes_are_counted() {
    begin();
    let channel = Channel::new(3).unwrap();
    channel.send(()).unwrap();
    channel.send(()).unwrap();
    assert!(!channel.is_empty());
    channel.receive().unwrap();
    channel.receive().unwrap();
    assert_eq!(channel.try_receive().unwrap_err().name().as_deref(), Some("EAGAIN"));
    assert_eq!(Channel::<u64>::new(usize::MAX).err().and_then(|error| error.name()).as_deref(), Some("ENOMEM"));
}
