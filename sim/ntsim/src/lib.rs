//! A simulated Windows kernel and KMDF with Driver-Verifier-grade rules
