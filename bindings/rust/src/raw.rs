//! The part of coro.h that this crate uses, as it is: what each function does is said there. ../check-declarations has a C
//! compiler hold every constant, struct and function of this file against the header.
#![allow(non_camel_case_types, clippy::missing_safety_doc)]

use std::os::raw::{c_char, c_int, c_void};

pub type coro_t = i64;
pub type coro_target_t = i64;
pub type coro_timeout_t = i64;

pub type coro_fn = Option<unsafe extern "C" fn(*mut c_void) -> *mut c_void>;
pub type coro_function = Option<unsafe extern "C" fn()>;
pub type coro_handler = Option<unsafe extern "C" fn(*mut c_void, *mut c_void, *const *mut c_void)>;
pub type coro_release = Option<unsafe extern "C" fn(*mut c_void)>;

pub const CORO_EDEAD: c_int = -5002;
pub const CORO_ECLOSED: c_int = -5003;
pub const CORO_ETIMEOUT: c_int = -5005;
pub const CORO_ESHUTDOWN: c_int = -5007;
pub const CORO_EINTERRUPTED: c_int = -5009;
pub const CORO_EYIELDFROMMAIN: c_int = -5010;
pub const CORO_EFAILED: c_int = -5017;

pub const CORO_FOREVER: i64 = i64::MAX;
pub const CORO_LOOP_UNTIL_IDLE: u32 = 0x1;

pub const CORO_VALUE_DEFAULT: u32 = 0;
pub const CORO_VALUE_SIGNED: u32 = 1;
pub const CORO_VALUE_UNSIGNED: u32 = 2;
pub const CORO_VALUE_DOUBLE: u32 = 3;
pub const CORO_VALUE_POINTER: u32 = 4;
pub const CORO_VALUE_BYTES: u32 = 5;
pub const CORO_VALUE_VOID: u32 = 6;

/// Only ever behind a pointer.
#[repr(C)]
pub struct coro_channel {
    _opaque: [u8; 0],
}

#[repr(C)]
pub struct coro_options {
    pub struct_size: usize,
    pub name: *const c_char,
    pub stack_size: usize,
    pub flags: u32,
    pub reserved: u32,
    pub release: coro_release,
}

#[repr(C)]
pub struct coro_loop_options {
    pub struct_size: usize,
    pub poll_timeout: i64,
    pub flags: u32,
    pub reserved: u32,
}

#[repr(C)]
pub struct coro_target_options {
    pub struct_size: usize,
    pub handler: coro_handler,
    pub context: *mut c_void,
    pub release: coro_release,
    pub flags: u32,
    pub reserved: u32,
    pub stack_size: usize,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub union coro_value_as {
    pub i: i64,
    pub u: u64,
    pub d: f64,
    pub p: *const c_void,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct coro_value {
    pub kind: u32,
    pub size: u32,
    pub as_: coro_value_as,
}

#[link(name = "coro")]
extern "C" {
    pub fn coro_strerror(code: c_int) -> *const c_char;
    pub fn coro_error_name(code: c_int) -> *const c_char;
    pub fn coro_error_detail() -> *const c_char;

    pub fn coro_spawn_with(function: coro_fn, arg: *mut c_void, options: *const coro_options) -> coro_t;
    pub fn coro_fail(code: c_int, message: *const c_char) -> *mut c_void;
    pub fn coro_join(co: coro_t, result: *mut *mut c_void, timeout: i64) -> c_int;
    pub fn coro_detach(co: coro_t) -> coro_t;
    pub fn coro_shutdown(co: coro_t) -> c_int;
    pub fn coro_interrupt(co: coro_t, value: *mut c_void) -> c_int;
    pub fn coro_is_alive(co: coro_t) -> bool;
    pub fn coro_get_name(co: coro_t, buffer: *mut c_char, size: usize) -> c_int;
    pub fn coro_ident(co: coro_t) -> coro_t;
    pub fn coro_current() -> coro_t;
    pub fn coro_yield() -> c_int;
    pub fn coro_get_live_coros() -> i64;

    pub fn coro_event_loop() -> c_int;
    pub fn coro_event_loop_with(options: *const coro_loop_options) -> c_int;
    pub fn coro_set_exit(code: c_int);
    pub fn coro_set_print_exit_string(on: bool) -> bool;

    pub fn coro_now() -> i64;
    pub fn coro_sleep(ns: i64) -> c_int;
    pub fn coro_timeout_begin(ns: i64) -> coro_timeout_t;
    pub fn coro_timeout_end(scope: coro_timeout_t, result: i64) -> i64;

    pub fn coro_test_set_virtual_time(on: bool) -> c_int;

    pub fn coro_channel_new(element_size: usize, capacity: usize) -> *mut coro_channel;
    pub fn coro_channel_send(channel: *mut coro_channel, element: *const c_void) -> c_int;
    pub fn coro_channel_try_send(channel: *mut coro_channel, element: *const c_void) -> c_int;
    pub fn coro_channel_receive(channel: *mut coro_channel, element: *mut c_void) -> c_int;
    pub fn coro_channel_try_receive(channel: *mut coro_channel, element: *mut c_void) -> c_int;
    pub fn coro_channel_close(channel: *mut coro_channel) -> c_int;
    pub fn coro_channel_length(channel: *const coro_channel) -> usize;
    pub fn coro_channel_free(channel: *mut coro_channel) -> c_int;

    pub fn coro_target_register_with(
        prototype: *const c_char,
        function: coro_function,
        options: *const coro_target_options,
    ) -> coro_target_t;
    pub fn coro_target_unregister(target: coro_target_t) -> c_int;
    pub fn coro_target_find(name: *const c_char) -> coro_target_t;
    pub fn coro_target_describe(target: coro_target_t, buffer: *mut c_char, size: usize) -> c_int;
    pub fn coro_struct_register(name: *const c_char, fields: *const c_char) -> c_int;
    pub fn coro_spawn_kwargs(
        target: coro_target_t,
        names: *const *const c_char,
        values: *const coro_value,
        n: c_int,
    ) -> coro_t;
    pub fn coro_join_value(co: coro_t, value: *mut coro_value, timeout: i64) -> c_int;
    pub fn coro_join_result(co: coro_t, result: *mut c_void, size: usize, timeout: i64) -> c_int;
}
