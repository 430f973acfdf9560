package amd64

// In reads a byte from an I/O port.
func In(port uint16) uint8

// Out writes a byte to an I/O port.
func Out(port uint16, value uint8)

// In32 reads a doubleword from an I/O port.
func In32(port uint16) uint32

// Out16 writes a word to an I/O port.
func Out16(port uint16, value uint16)

// ReadMSR returns model-specific register r. A register the processor lacks
// raises #GP, which ends the kernel.
func ReadMSR(r uint32) uint64

// WriteMSR sets model-specific register r.
func WriteMSR(r uint32, value uint64)

// TSC returns the time-stamp counter.
func TSC() uint64

// Fence returns when all earlier writes can be seen by other processors, and no
// later instruction has begun.
func Fence()

// Pause executes PAUSE. Every polling loop of the kernel calls it.
func Pause()

// CPUID returns what the CPUID instruction says for leaf and sub-leaf.
func CPUID(leaf, sub uint32) (a, b, c, d uint32)

// SetCR3 loads the top-level page table and drops all TLB entries that are
// not global.
func SetCR3(root uintptr)

// CR4 and SetCR4 read and write control register 4.
func CR4() uint64

// SetCR4 writes control register 4.
func SetCR4(v uint64)

// SetXCR0 sets the vector state components that XSAVE manages.
func SetXCR0(mask uint64)

// Invlpg drops the TLB entries of one page.
func Invlpg(va uintptr)

// Halt stops this processor for ever; interrupts are off.
func Halt()

// Read32 and Write32 access device registers.
func Read32(addr uintptr) uint32

// Write32 writes a device register.
func Write32(addr uintptr, v uint32)

// Entropy returns a word from the processor's random generator, mixed with the
// time-stamp counter, whose jitter is all there is without one.
func Entropy() uint64 {
	v := TSC()
	if CPU.RDRAND {
		r, _ := RDRAND()
		v ^= r
	}
	return v
}

// RDRAND returns a number from the processor's random generator and whether it
// gave one. The processor must have the instruction.
func RDRAND() (v uint64, ok bool)
