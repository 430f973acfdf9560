package boot

import (
	"encoding/binary"
	"errors"
	"fmt"

	"skerry/abi"
)

// loadKernel copies the kernel's segments out of its ELF file to image, the
// memory that will lie from one page below the link address on. What the file
// does not give is zero.
func loadKernel(file, image []byte) error {
	if len(file) < 64 || string(file[:4]) != "\x7fELF" || file[4] != 2 {
		return errors.New("boot: the kernel in the archive is not a 64-bit ELF")
	}
	le := binary.LittleEndian
	off, size, n := le.Uint64(file[32:]), uint64(le.Uint16(file[54:])), uint64(le.Uint16(file[56:]))
	if size < 56 || off > uint64(len(file)) || n*size > uint64(len(file))-off {
		return errors.New("boot: the kernel's program headers lie outside its file")
	}
	const base = abi.KernelBase + abi.KernelOffset - abi.PageSize
	for i := range n {
		h := file[off+i*size:]
		if le.Uint32(h) != 1 { // PT_LOAD
			continue
		}
		fileOff, va, fileSize, memSize := le.Uint64(h[8:]), le.Uint64(h[16:]), le.Uint64(h[32:]), le.Uint64(h[40:])
		if va < base || memSize < fileSize || va-base > uint64(len(image)) || memSize > uint64(len(image))-(va-base) ||
			fileOff > uint64(len(file)) || fileSize > uint64(len(file))-fileOff {
			return fmt.Errorf("boot: segment %d of the kernel lies outside its file or image", i)
		}
		n := copy(image[va-base:], file[fileOff:fileOff+fileSize])
		clear(image[va-base+uint64(n):][:memSize-fileSize])
	}
	return nil
}
