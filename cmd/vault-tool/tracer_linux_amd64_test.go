package main

import "syscall"

// canFailCalls says that skipCall and setCallResult work on this processor.
const canFailCalls = true

// skipCall makes the kernel skip the call at whose entry the thread stands.
func skipCall(thread int) error {
	return changeRegisters(thread, func(r *syscall.PtraceRegs) { r.Orig_rax = ^uint64(0) })
}

// setCallResult sets what the call returns at whose exit the thread stands.
func setCallResult(thread int, failure syscall.Errno) error {
	return changeRegisters(thread, func(r *syscall.PtraceRegs) { r.Rax = -uint64(failure) })
}

func changeRegisters(thread int, change func(*syscall.PtraceRegs)) error {
	var registers syscall.PtraceRegs
	if err := syscall.PtraceGetRegs(thread, &registers); err != nil {
		return err
	}
	change(&registers)
	return syscall.PtraceSetRegs(thread, &registers)
}
