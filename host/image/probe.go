package image

import (
	"bytes"

	"skerry/abi"
)

// Port and value with which the probe ends: QEMU's isa-debug-exit device turns
// the value v into the exit status 2v+1.
const (
	ProbePort   = 0xf4
	ProbeValue  = 0x10
	ProbeStatus = 2*ProbeValue + 1
)

// Probe returns a small image that boots as every image does, turns to 64-bit
// mode, counts down from a hundred million, touches a MiB of memory, and
// leaves by ProbePort. Where processors run guests it does so within a second.
func Probe() []byte {
	var a assembler
	a.bytes(0xb9)
	a.imm32(100_000_000) // mov ecx, 100e6
	a.bytes(0xff, 0xc9)  // dec ecx
	a.bytes(0x75, 0xfc)  // jnz to dec
	a.bytes(0x31, 0xc0)  // xor eax, eax
	a.bytes(0xbf)
	a.imm32(16 << 20) // mov edi, 16 MiB
	a.bytes(0xb9)
	a.imm32(1 << 20)    // mov ecx, 1 MiB
	a.bytes(0xf3, 0xaa) // rep stosb
	a.bytes(0xb8)
	a.imm32(ProbeValue) // mov eax, ProbeValue
	a.bytes(0xe6, ProbePort)
	a.bytes(0xfa, 0xf4) // cli; hlt
	code := make([]byte, abi.PageSize)
	copy(code, a.code)

	h := abi.BootHeader{Magic: abi.BootMagic, KernelPhys: kernelLink - abi.KernelBase, KernelSize: abi.PageSize}
	var b bytes.Buffer
	b.Write(header([]segment{
		{abi.PageSize, abi.BootPhys, bootSize, bootSize},
		{abi.PageSize + bootSize, h.KernelPhys, abi.PageSize, abi.PageSize},
	}))
	b.Write(bootSegment(&h, kernelLink))
	b.Write(code)
	return b.Bytes()
}
