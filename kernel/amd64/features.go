package amd64

// Features says which of the optional parts of the architecture the kernel
// found and uses. It is filled once, by DetectFeatures.
type Features struct {
	FSGSBASE, SMEP, SMAP, UMIP bool
	NX, XSAVE, X2APIC          bool
	TSCDeadline, RDRAND        bool
	GiantPages                 bool
}

// CPU is what DetectFeatures found.
var CPU Features

func bit(v uint32, n uint) bool { return v>>n&1 == 1 }

// DetectFeatures fills CPU (SDM 2A, CPUID).
func DetectFeatures() {
	max, _, _, _ := CPUID(0, 0)
	_, _, c1, _ := CPUID(1, 0)
	CPU.XSAVE = bit(c1, 26)
	CPU.X2APIC = bit(c1, 21)
	CPU.TSCDeadline = bit(c1, 24)
	CPU.RDRAND = bit(c1, 30)
	if max >= 7 {
		_, b7, c7, _ := CPUID(7, 0)
		CPU.FSGSBASE = bit(b7, 0)
		CPU.SMEP = bit(b7, 7)
		CPU.SMAP = bit(b7, 20)
		CPU.UMIP = bit(c7, 2)
	}
	_, _, _, dx := CPUID(0x8000_0001, 0)
	CPU.NX = bit(dx, 20)
	CPU.GiantPages = bit(dx, 26)
}

// Control register 4 (SDM 3A 2.5).
const (
	cr4PGE        = 1 << 7
	cr4OSFXSR     = 1 << 9
	cr4OSXMMEXCPT = 1 << 10
	cr4UMIP       = 1 << 11
	cr4FSGSBASE   = 1 << 16
	cr4OSXSAVE    = 1 << 18
	cr4SMEP       = 1 << 20
	cr4SMAP       = 1 << 21
)

// Vector state components (SDM 1 13.1).
const (
	xcr0X87SSE = 3
	xcr0AVX    = 1 << 2
	xcr0AVX512 = 7 << 5
)

// VectorMask is the set of vector state components in use and VectorSize the
// bytes of their XSAVE area in standard format. Set by EnableFeatures.
var VectorMask, VectorSize uint64

// EnableFeatures turns on protection and vector state. CPU must be filled;
// FSGSBASE, NX and XSAVE must be there.
func EnableFeatures() {
	v := CR4() | cr4PGE | cr4OSFXSR | cr4OSXMMEXCPT | cr4FSGSBASE | cr4OSXSAVE
	if CPU.SMEP {
		v |= cr4SMEP
	}
	if CPU.SMAP {
		v |= cr4SMAP
	}
	if CPU.UMIP {
		v |= cr4UMIP
	}
	SetCR4(v)
	a, _, _, _ := CPUID(0xd, 0)
	mask := uint64(a) & (xcr0X87SSE | xcr0AVX | xcr0AVX512)
	if mask&xcr0AVX512 != xcr0AVX512 {
		mask &^= xcr0AVX512
	}
	SetXCR0(mask)
	VectorMask = mask
	_, size, _, _ := CPUID(0xd, 0)
	VectorSize = uint64(size)
}
