package main

import "syscall"

// instructionAttacks each execute one instruction that a program may not, or
// that must raise an exception. Each dies of it.
var instructionAttacks = []attack{
	{"hlt", "halt the processor", executed(hlt)},
	{"cli", "disable interrupts", executed(cli)},
	{"sti", "enable interrupts", executed(sti)},
	{"rdmsr", "read a model-specific register (LSTAR)", executed(rdmsr)},
	{"wrmsr", "write a model-specific register (LSTAR)", executed(wrmsr)},
	{"wrmsr-kernel-gs", "write the kernel's GS base", executed(wrmsrKernelGS)},
	{"inb", "read an I/O port (keyboard controller)", executed(inb)},
	{"outb", "write an I/O port (keyboard controller: reset)", executed(outb)},
	{"out-console", "write the serial port", executed(outConsole)},
	{"insb", "read an I/O port into memory", executed(insb)},
	{"read-cr0", "read CR0", executed(readCR0)},
	{"read-cr3", "read CR3", executed(readCR3)},
	{"write-cr0", "write CR0 (paging off)", executed(writeCR0)},
	{"write-cr3", "write CR3", executed(writeCR3)},
	{"write-cr4", "write CR4 (SMEP and SMAP off)", executed(writeCR4)},
	{"write-cr8", "write CR8 (mask interrupts)", executed(writeCR8)},
	{"write-dr7", "write a debug register", executed(writeDR7)},
	{"lgdt", "load the descriptor table", executed(lgdt)},
	{"lidt", "load the interrupt table", executed(lidt)},
	{"ltr", "load the task register", executed(ltr)},
	{"lldt", "load the local descriptor table", executed(lldt)},
	{"lmsw", "write the machine status word", executed(lmsw)},
	{"clts", "clear the task-switched flag", executed(clts)},
	{"invlpg", "invalidate a translation", executed(invlpg)},
	{"invpcid", "invalidate all translations", executed(invpcid)},
	{"invd", "throw away the caches", executed(invd)},
	{"wbinvd", "write back the caches", executed(wbinvd)},
	{"xsetbv", "change the enabled vector state", executed(xsetbv)},
	{"rdpmc", "read a performance counter", executed(rdpmc)},
	{"swapgs", "swap the GS base", executed(swapgs)},
	{"sysret", "return from a system call", executed(sysret)},
	{"sysexit", "return from a fast system call", executed(sysexit)},
	{"rsm", "leave system management mode", executed(rsm)},
	{"stac", "allow the kernel to touch user pages", executed(stac)},
	{"clac", "forbid the kernel to touch user pages", executed(clac)},
	{"monitor", "watch a cache line", executed(monitor)},
	{"mwait", "wait in a sleep state", executed(mwait)},
	{"vmcall", "call a hypervisor", executed(vmcall)},
	{"vmxon", "enter virtual machine operation", executed(vmxon)},
	{"vmrun", "run a virtual machine", executed(vmrun)},
	{"ud2", "execute an undefined instruction", executed(ud2)},
	{"int3", "stop at a breakpoint", executed(int3)},
	{"iret-kernel", "return from an interrupt to ring 0", executed(iretKernel)},
	{"iret-kernel-text", "return from an interrupt into the kernel's text", executed(iretKernelText)},
	{"retf-kernel", "return far to a ring 0 code segment", executed(retfKernel)},
	{"load-ds", "load a ring 0 data segment", executed(loadDS)},
	{"load-ss", "load a ring 0 stack segment", executed(loadSS)},
	{"interrupts", "raise every interrupt vector by INT n", everyInterrupt},
	{"int", "raise one interrupt vector, given in hexadecimal, by INT n", func(argument string) (outcome, error) {
		vector, err := parseAddress(argument)
		if err != nil {
			return "", err
		}
		interrupt(uint8(vector))
		return "the interrupt came back", nil
	}},
	{"descriptors", "read the descriptor tables' addresses, which UMIP hides", func(string) (outcome, error) {
		var address uint64
		if err := faults(func() { address = readDescriptors() }); err != nil {
			return "", err
		}
		if int64(address) < 0 && address != emulatedGDT {
			return "the processor has no UMIP and told an address of the kernel", nil
		}
		return "the system made up an address", nil
	}},
	{"sse-exception", "divide by zero with SSE exceptions unmasked", func(string) (outcome, error) {
		if err := faults(sseException); err != nil {
			return "", err
		}
		return "the processor is emulated without these exceptions", nil
	}},
	{"x87-exception", "divide by zero with x87 exceptions unmasked", func(string) (outcome, error) {
		if err := faults(x87Exception); err != nil {
			return "", err
		}
		return "the processor is emulated without these exceptions", nil
	}},
}

// emulatedGDT is what Linux answers where UMIP forbids SGDT.
const emulatedGDT = 0xffff_ffff_fffe_0000

// executed makes a case of an instruction that must not be let through.
func executed(instruction func()) func(string) (outcome, error) {
	return func(string) (outcome, error) {
		instruction()
		breach("the instruction was executed")
		return "", nil
	}
}

// everyInterrupt raises all vectors but those of INT3, which a Go program does
// not survive, and counts those that ended in a fault.
func everyInterrupt(string) (outcome, error) {
	refused := 0
	for vector := range 256 {
		if vector == 3 {
			continue
		}
		if faults(func() { interrupt(uint8(vector)) }) != nil {
			refused++
		}
	}
	if refused == 255 {
		return "", syscall.EFAULT
	}
	if refused >= 253 {
		return "INT 0x80 or INT 4 was answered, all others were refused", nil
	}
	breach("%d interrupt vectors can be raised", 255-refused)
	return "", nil
}
