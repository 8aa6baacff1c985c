//! A driver with one queue, whose requests a closure of the test handles, and an open file on its device.

use crate::support::*;
use core::ptr::null_mut;
use ntsim::mem::{Protection, UserBuffer};
use ntsim::nt::io::{DesiredAccess, Handle, IoResult, PendingIo};
use ntsim::verifier::Crash;
use std::cell::{Cell, RefCell};
use std::ops::Deref;
use std::rc::Rc;
use wdk_sys::*;

static INTERFACE: GUID = GUID {
    Data1: 0x0B8F_51D2,
    Data2: 0x77A1,
    Data3: 0x4C39,
    Data4: [0x8E, 0x10, 0x52, 0x9B, 0x64, 0xD3, 0x2F, 0x07],
};

/// A control code of a method.
pub const fn code(method: u32) -> u32 {
    FILE_DEVICE_UNKNOWN << 16 | 0x800 << 2 | method
}

type Handler = Rc<dyn Fn(WDFQUEUE, WDFREQUEST)>;

thread_local! {
    static HANDLER: RefCell<Option<Handler>> = const { RefCell::new(None) };
    static QUEUE: Cell<WDFQUEUE> = const { Cell::new(null_mut()) };
}

unsafe extern "win64" fn control(queue: WDFQUEUE, request: WDFREQUEST, _output: usize, _input: usize, _code: ULONG) {
    let handler = HANDLER.with(|handler| handler.borrow().clone());
    if let Some(handler) = handler {
        handler(queue, request);
    }
}

/// Says what is done with a request. Without this the driver keeps them.
pub fn on_request(handler: impl Fn(WDFQUEUE, WDFREQUEST) + 'static) {
    HANDLER.with(|slot| *slot.borrow_mut() = Some(Rc::new(handler)));
}

/// The configuration of a queue.
pub fn queue_config(dispatch: WDF_IO_QUEUE_DISPATCH_TYPE) -> WDF_IO_QUEUE_CONFIG {
    let mut config = WDF_IO_QUEUE_CONFIG {
        Size: size_of::<WDF_IO_QUEUE_CONFIG>() as ULONG,
        DispatchType: dispatch,
        ..Default::default()
    };
    if dispatch == _WDF_IO_QUEUE_DISPATCH_TYPE::WdfIoQueueDispatchParallel {
        config.Settings.Parallel.NumberOfPresentedRequests = u32::MAX;
    }
    config
}

/// Makes a queue.
pub fn make_queue(device: WDFDEVICE, config: &mut WDF_IO_QUEUE_CONFIG) -> WDFQUEUE {
    let mut queue = null_mut();
    let status = wdf!(WdfIoQueueCreate, device, config, null_mut(), &mut queue);
    assert_eq!(status, STATUS_SUCCESS);
    queue
}

/// The default queue.
pub fn queue() -> WDFQUEUE {
    QUEUE.get()
}

/// Completes a request.
pub fn complete(request: WDFREQUEST, status: NTSTATUS, information: u64) {
    wdf!(WdfRequestCompleteWithInformation, request, status, information);
}

/// A machine with the driver, its device and an open file.
pub struct Io {
    rig: Rig,
    pub file: Handle,
}

impl Deref for Io {
    type Target = Rig;

    fn deref(&self) -> &Rig {
        &self.rig
    }
}

impl Io {
    /// With the framework's verifier on, and a parallel queue.
    pub fn new() -> Self {
        Self::with(&Options::default(), |_| {})
    }

    /// With the framework's verifier off.
    pub fn unverified() -> Self {
        Self::with(
            &Options {
                verifier_on: false,
                ..Options::default()
            },
            |_| {},
        )
    }

    /// With more options, and a queue that is not the usual one.
    pub fn with(options: &Options, adapt: impl Fn(&mut WDF_IO_QUEUE_CONFIG) + 'static) -> Self {
        on("DeviceAdd", move |device| {
            assert_eq!(
                wdf!(WdfDeviceCreateDeviceInterface, device, &INTERFACE, null_mut()),
                STATUS_SUCCESS
            );
            let mut config = queue_config(_WDF_IO_QUEUE_DISPATCH_TYPE::WdfIoQueueDispatchParallel);
            config.DefaultQueue = 1;
            config.EvtIoDeviceControl = Some(control);
            adapt(&mut config);
            QUEUE.set(make_queue(device, &mut config));
        });
        HANDLER.with(|slot| *slot.borrow_mut() = None);
        let rig = Rig::started_with(options);
        let file = rig
            .machine
            .open(INTERFACE, DesiredAccess::READ | DesiredAccess::WRITE)
            .unwrap();
        Self { rig, file }
    }

    /// User memory.
    pub fn memory(&self, length: usize) -> UserBuffer {
        self.rig
            .machine
            .user_memory()
            .allocate(length, 0, Protection::ReadWrite)
    }

    /// Sends a request that has no buffers, and lets the machine settle.
    pub fn send(&self) -> PendingIo {
        let io = self.file.ioctl(code(METHOD_BUFFERED), &[], None);
        self.rig.machine.settle().unwrap();
        io
    }

    /// Sends a request with input and output, and waits for it.
    pub fn exchange(&self, method: u32, input: &[u8], output: usize) -> Result<IoResult, Crash> {
        let memory = self.memory(output.max(1));
        self.file
            .ioctl_and_wait(code(method), input, (output > 0).then(|| memory.range()))
    }

    /// Sends a request whose handler breaks a rule, maybe after the request was completed.
    pub fn broken_by(
        &self,
        method: u32,
        input: &[u8],
        output: usize,
        handler: impl Fn(WDFREQUEST) + 'static,
    ) -> &'static str {
        on_request(move |_, request| handler(request));
        let result = self.exchange(method, input, output);
        let result = result.and_then(|_| self.rig.machine.settle());
        rule(&result.expect_err("the rule is broken"))
    }

    /// Closes the file, removes the device, unloads the driver; nothing may be left.
    pub fn finish(self) {
        if !self.file.is_closed() {
            self.file.close().unwrap();
        }
        let Self { rig, file: _file } = self;
        rig.finish().unwrap();
    }
}
