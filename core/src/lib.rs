//! Checks, plans and translates programs; no operating system, no allocation, no unsafe
