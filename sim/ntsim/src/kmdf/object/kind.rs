//! Object types, with the numbers that bug check 0x10D/5 shows as its third parameter.

/// The type of a framework object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u16)]
pub(crate) enum Kind {
    /// Any object: what functions that take a `WDFOBJECT` ask for.
    Any = 0x1000,
    /// `WDFDRIVER`.
    Driver = 0x1001,
    /// `WDFDEVICE`.
    Device = 0x1002,
    /// `WDFQUEUE`.
    Queue = 0x1003,
    /// `WDFKEY`.
    Key = 0x1006,
    /// `WDFREQUEST`.
    Request = 0x1008,
    /// `WDFMEMORY`.
    Memory = 0x100A,
    /// A `WDFOBJECT` that the driver made with `WdfObjectCreate`.
    Generic = 0x100C,
    /// `WDFDPC`.
    Dpc = 0x1015,
    /// `WDFFILEOBJECT`.
    FileObject = 0x1018,
    /// `WDFWAITLOCK`.
    WaitLock = 0x1023,
    /// `WDFSPINLOCK`.
    SpinLock = 0x1024,
    /// `WDFWORKITEM`.
    WorkItem = 0x1025,
    /// `WDFINTERRUPT`.
    Interrupt = 0x1027,
    /// `WDFTIMER`.
    Timer = 0x1028,
    /// `WDFCMRESLIST`.
    CmResList = 0x1036,
    /// The framework's own I/O package of a device: the parent of its queues.
    IoPackage = 0x1100,
    /// `WDFDMAENABLER`.
    DmaEnabler = 0x1400,
    /// `WDFDMATRANSACTION`.
    DmaTransaction = 0x1401,
    /// `WDFCOMMONBUFFER`.
    CommonBuffer = 0x1402,
}

impl Kind {
    /// The name of the handle type.
    pub(crate) fn handle_name(self) -> &'static str {
        match self {
            Self::Any | Self::Generic => "WDFOBJECT",
            Self::Driver => "WDFDRIVER",
            Self::Device => "WDFDEVICE",
            Self::Queue => "WDFQUEUE",
            Self::Key => "WDFKEY",
            Self::Request => "WDFREQUEST",
            Self::Memory => "WDFMEMORY",
            Self::Dpc => "WDFDPC",
            Self::FileObject => "WDFFILEOBJECT",
            Self::WaitLock => "WDFWAITLOCK",
            Self::SpinLock => "WDFSPINLOCK",
            Self::WorkItem => "WDFWORKITEM",
            Self::Interrupt => "WDFINTERRUPT",
            Self::Timer => "WDFTIMER",
            Self::CmResList => "WDFCMRESLIST",
            Self::IoPackage => "I/O package",
            Self::DmaEnabler => "WDFDMAENABLER",
            Self::DmaTransaction => "WDFDMATRANSACTION",
            Self::CommonBuffer => "WDFCOMMONBUFFER",
        }
    }
}
