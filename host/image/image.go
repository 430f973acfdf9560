// Package image builds what a machine boots: it compiles kernel, libos and
// monitor with the stock go command, and writes them with a boot archive as an
// ELF file that PVH loaders start (QEMU's -kernel, Firecracker, Cloud
// Hypervisor).
//
// The host command, tests and benchmarks import it. It must never need
// anything but the go command, and never write into the source tree.
package image

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"skerry/abi"
	"skerry/host/archive"
	"skerry/host/exitcode"
	"skerry/host/gobuild"
	"skerry/lib/manifest"
)

// System is what every image holds: linked ELF files.
type System struct {
	Kernel  []byte
	Libos   []byte
	Monitor []byte
}

// CompileSystem compiles Skerry from the source tree at dir. With debug, the
// ELF files keep their DWARF. Errors carry their exit codes.
func CompileSystem(ctx context.Context, dir string, debug bool) (*System, error) {
	var s System
	strip := func(flags, rest string) string {
		if debug {
			return rest
		}
		return flags + " " + rest
	}
	parts := []struct {
		pkg, flags string
		out        *[]byte
	}{
		// The linker reads -T as a signed number: -0x7fe00000 is
		// KernelBase+KernelOffset.
		{"./kernel", strip("-w", "-T -0x7fe00000 -E skerry/kernel/boot.entry"), &s.Kernel},
		{"./libos", strip("-w", fmt.Sprintf("-T %#x -E main.entry", uint64(abi.LibosBase+abi.PageSize))), &s.Libos},
		{"./service/monitor", strip("-s -w", ""), &s.Monitor},
	}
	errs := make([]error, len(parts))
	var wg sync.WaitGroup
	for i, p := range parts {
		wg.Go(func() {
			*p.out, errs[i] = gobuild.Build(ctx, gobuild.Target{Dir: dir, Package: p.pkg, Ldflags: p.flags, System: true})
			var ce *gobuild.CompileError
			if errors.As(errs[i], &ce) {
				errs[i] = &exitcode.Error{
					Code: exitcode.Image, What: "Skerry's " + p.pkg[2:] + " in " + dir,
					Err: errors.New("does not compile"), Fix: "see the compiler's output below", Detail: ce.Output,
				}
			}
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return &s, nil
}

// Layout says where the parts of a written image lie in physical memory.
type Layout struct {
	KernelPhys, KernelSize   uint64
	ArchivePhys, ArchiveSize uint64
}

// End is the first physical address behind the image.
func (l *Layout) End() uint64 { return alignUp(l.ArchivePhys+l.ArchiveSize, largePage) }

// archiveGap is left free between the kernel and the archive, for what the
// first CPU driver needs before it knows the machine's memory.
const archiveGap = 16 << 20

// WriteFile writes the image of a system that does what m says, with files
// besides, to the new or replaced file name. The file appears whole or not at
// all.
func WriteFile(name string, s *System, m *manifest.Manifest, files []archive.File) (*Layout, error) {
	f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*")
	if err != nil {
		return nil, writeError(name, err)
	}
	defer os.Remove(f.Name()) // nothing is left to remove after the renaming
	defer f.Close()
	l, err := Write(f, s, m, files)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(f.Chmod(0o644), f.Close(), os.Rename(f.Name(), name)); err != nil {
		return nil, writeError(name, err)
	}
	return l, nil
}

func writeError(name string, err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		err = pe.Err
	}
	return &exitcode.Error{Code: exitcode.Image, What: "image " + name, Err: err, Fix: "make room or name another file"}
}

// Write writes an image at offset 0 of f, which is empty.
func Write(f io.WriteSeeker, s *System, m *manifest.Manifest, files []archive.File) (*Layout, error) {
	k, err := flatten(s.Kernel)
	if err != nil {
		return nil, exitcode.New(exitcode.Image, "the kernel's ELF", "", "%w", err)
	}
	config, err := m.Encode()
	if err != nil {
		return nil, err
	}
	files = append([]archive.File{
		archive.Bytes(abi.ArchiveKernel, 0o444, s.Kernel),
		archive.Bytes(abi.ArchiveLibos, 0o444, s.Libos),
		archive.Bytes(abi.ArchiveMonitor, 0o555, s.Monitor),
		archive.Bytes(abi.ArchiveManifest, 0o444, config),
	}, files...)

	// The archive's size is known when it is written, so it goes first.
	kernelAt := int64(abi.PageSize + bootSize)
	archiveAt := int64(pageUp(uint64(kernelAt) + uint64(len(k.bytes))))
	if _, err := f.Seek(archiveAt, io.SeekStart); err != nil {
		return nil, err
	}
	size, err := archive.Write(f, files)
	if err != nil {
		return nil, &exitcode.Error{Code: exitcode.Image, What: "boot archive", Err: err}
	}
	h := &k.header
	h.ArchivePhys = alignUp(h.KernelPhys+h.KernelSize+archiveGap, largePage)
	h.ArchiveSize = uint64(size)
	l := &Layout{h.KernelPhys, h.KernelSize, h.ArchivePhys, h.ArchiveSize}
	if l.End() > 3<<30 {
		return nil, exitcode.New(exitcode.Image, "boot archive", "leave out some folders of -v",
			"%d MiB do not fit below the machine's devices", size>>20)
	}

	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	head := header([]segment{
		{abi.PageSize, abi.BootPhys, bootSize, bootSize},
		{kernelAt, h.KernelPhys, uint64(len(k.bytes)), h.KernelSize},
		{archiveAt, h.ArchivePhys, h.ArchiveSize, h.ArchiveSize},
	})
	for _, b := range [][]byte{head, bootSegment(h, k.entry), k.bytes} {
		if _, err := f.Write(b); err != nil {
			return nil, &exitcode.Error{Code: exitcode.Image, What: "image", Err: err, Fix: "make room"}
		}
	}
	return l, nil
}

// segment is a part of an image: where it lies in the file and in memory.
type segment struct {
	offset  int64
	phys    uint64
	inFile  uint64
	inSpace uint64
}

// header returns the first page of the file: ELF header, program headers, and
// the note that tells PVH loaders where to enter.
func header(segments []segment) []byte {
	const (
		ehdrSize, phdrSize = 64, 56
		typeLoad, typeNote = 1, 4
		phys32Entry        = 18 // XEN_ELFNOTE_PHYS32_ENTRY
	)
	le := binary.LittleEndian
	b := make([]byte, 0, abi.PageSize)
	// e_ident: 64-bit, little endian, version 1
	b = append(b, 0x7f, 'E', 'L', 'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0)
	b = le.AppendUint16(b, 2)         // ET_EXEC
	b = le.AppendUint16(b, 62)        // EM_X86_64
	b = le.AppendUint32(b, 1)         // EV_CURRENT
	b = le.AppendUint64(b, entryPhys) // for loaders that do not read the note
	b = le.AppendUint64(b, ehdrSize)  // program headers follow
	b = le.AppendUint64(b, 0)         // no sections
	b = le.AppendUint32(b, 0)         // flags
	b = le.AppendUint16(b, ehdrSize)
	b = le.AppendUint16(b, phdrSize)
	b = le.AppendUint16(b, uint16(len(segments)+1))
	b = le.AppendUint16(b, 64) // e_shentsize, though there are none
	b = le.AppendUint16(b, 0)
	b = le.AppendUint16(b, 0)

	note := le.AppendUint32(nil, 4) // bytes of the name
	note = le.AppendUint32(note, 8) // bytes of the descriptor: loaders read 4 or 8
	note = le.AppendUint32(note, phys32Entry)
	note = append(note, "Xen\x00"...)
	note = le.AppendUint64(note, entryPhys)
	noteAt := uint64(ehdrSize + phdrSize*(len(segments)+1))

	program := func(kind, flags uint32, offset, phys, inFile, inSpace, align uint64) {
		b = le.AppendUint32(b, kind)
		b = le.AppendUint32(b, flags)
		b = le.AppendUint64(b, offset)
		b = le.AppendUint64(b, phys) // virtual: paging is off
		b = le.AppendUint64(b, phys)
		b = le.AppendUint64(b, inFile)
		b = le.AppendUint64(b, inSpace)
		b = le.AppendUint64(b, align)
	}
	program(typeNote, 4, noteAt, 0, uint64(len(note)), uint64(len(note)), 4)
	for _, s := range segments {
		program(typeLoad, 7, uint64(s.offset), s.phys, s.inFile, s.inSpace, abi.PageSize)
	}
	b = append(b, note...)
	return b[:abi.PageSize] // the rest of the page is zero
}
