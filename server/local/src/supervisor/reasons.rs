//! Every reason and action that this platform reports, in one place. Words for programs; sentences stand elsewhere.

/// The controller that acts on instances.
pub const CONTROLLER: &str = "instance";

/// Making a process run until it is ready.
pub const START: &str = "StartInstance";
/// Keeping a process that was ready running.
pub const RUN: &str = "RunInstance";
/// Ending a process.
pub const STOP: &str = "StopInstance";
/// Asking a process whether it is ready.
pub const HEALTH_CHECK: &str = "HealthCheck";

/// It was started and has not been ready yet.
pub const STARTING: &str = "Starting";
/// It runs and is ready.
pub const RUNNING: &str = "Running";
/// It runs, and its health check fails.
pub const HEALTH_CHECK_FAILING: &str = "HealthCheckFailing";
/// Its process ended.
pub const EXITED: &str = "Exited";
/// Its process ended three times or more without a steady time in between.
pub const CRASH_LOOP: &str = "CrashLoop";
/// Its program cannot be run at all.
pub const CANNOT_START: &str = "CannotStart";
/// It waits for its next start.
pub const BACKING_OFF: &str = "BackingOff";
/// It was told to stop.
pub const STOPPING: &str = "Stopping";
/// It had to be killed, because it did not go within its grace time.
pub const GRACE_EXPIRED: &str = "GraceExpired";
/// Nothing to complain about.
pub const AS_EXPECTED: &str = "AsExpected";
/// More happened than could be handed over.
pub const EVENTS_LOST: &str = "EventsLost";
