package boot

import (
	"encoding/binary"
	"fmt"
	"slices"
	"testing"

	"golang.org/x/arch/x86/x86asm"
)

// disassemble decodes code up to and with the first jump.
func disassemble(t *testing.T, code []byte, mode int, at uint64) []string {
	t.Helper()
	var out []string
	for {
		i, err := x86asm.Decode(code, mode)
		if err != nil {
			t.Fatalf("%d-bit code at %#x, after %q: %v", mode, at, out, err)
		}
		out = append(out, x86asm.IntelSyntax(i, at, nil))
		code, at = code[i.Len:], at+uint64(i.Len)
		switch i.Op {
		case x86asm.JMP, x86asm.LJMP:
			return out
		}
	}
}

// TestTrampoline disassembles the trampoline in each of its three modes and
// checks the addresses in it, and the descriptors that its jumps name.
func TestTrampoline(t *testing.T) {
	for _, base := range []uint32{0x1000, 0x9_e000} {
		const tables, entry, kcb, root = 0x7654_3000, 0xffff_ffff_8020_1234, 0xffff_8000_1234_5000, 0x1_2345_6000
		p := trampoline(base, tables, entry, kcb, root)
		if len(p) > 4096 {
			t.Fatalf("%d bytes do not fit a page", len(p))
		}
		want16 := []string{
			"cli", "cld", "mov ax, cs", "mov ds, ax", "o32 lgdt ptr [0xe8]",
			"mov eax, cr0", "or al, 0x1", "mov cr0, eax",
			fmt.Sprintf("jmp far 0x8:%#x", base+tramp32),
		}
		got16 := disassemble(t, p, 16, 0)
		// The disassembler's word for the wide forms differs between versions.
		if len(got16) != len(want16) || !slices.Equal(got16[:4], want16[:4]) || !slices.Equal(got16[5:8], want16[5:8]) {
			t.Errorf("16-bit code is %q", got16)
		}
		if p[6] != 0x66 || p[20] != 0x66 {
			t.Error("the descriptor table and the jump must be loaded with 32 bits")
		}
		if at := binary.LittleEndian.Uint32(p[22:]); at != base+tramp32 {
			t.Errorf("the first jump goes to %#x, want %#x", at, base+tramp32)
		}
		if at := binary.LittleEndian.Uint16(p[10:]); at != trampGDTR {
			t.Errorf("LGDT reads %#x, want %#x", at, trampGDTR)
		}
		want32 := []string{
			"mov eax, 0x10", "mov ds, ax", "mov es, ax", "mov ss, ax",
			"mov eax, 0x6a0", "mov cr4, eax",
			fmt.Sprintf("mov eax, %#x", tables), "mov cr3, eax",
			"mov ecx, 0xc0000080", "rdmsr", "or eax, 0x901", "wrmsr",
			"mov eax, 0x80010033", "mov cr0, eax",
		}
		got32 := disassemble(t, p[tramp32:], 32, uint64(base+tramp32))
		if !slices.Equal(got32[:len(got32)-1], want32) {
			t.Errorf("32-bit code is %q\nwant %q", got32, want32)
		}
		if at := binary.LittleEndian.Uint32(p[tramp32+50:]); at != base+tramp64 || p[tramp32+49] != 0xea || p[tramp32+54] != 0x18 {
			t.Errorf("the second jump goes to %#x, want 0x18:%#x", at, base+tramp64)
		}
		want64 := []string{
			fmt.Sprintf("mov esi, %#x", base+trampArgs), "mov rax, qword ptr [rsi]", "mov rdi, qword ptr [rsi+0x8]",
			"mov rdx, qword ptr [rsi+0x10]", "xor esi, esi", "jmp rax",
		}
		if got := disassemble(t, p[tramp64:], 64, uint64(base+tramp64)); !slices.Equal(got, want64) {
			t.Errorf("64-bit code is %q\nwant %q", got, want64)
		}
		le := binary.LittleEndian
		if limit, at := le.Uint16(p[trampGDTR:]), le.Uint32(p[trampGDTR+2:]); limit != 0x1f || at != base+trampGDT {
			t.Errorf("the descriptor table is at %#x, limit %#x", at, limit)
		}
		for selector, want := range map[int]struct{ long, code bool }{0x08: {false, true}, 0x10: {false, false}, 0x18: {true, true}} {
			d := le.Uint64(p[trampGDT+selector:])
			present, code, long := d>>47&1 == 1, d>>43&1 == 1, d>>53&1 == 1
			if !present || code != want.code || long != want.long || d>>45&3 != 0 {
				t.Errorf("descriptor %#x is %#x", selector, d)
			}
		}
		if le.Uint64(p[trampArgs:]) != entry || le.Uint64(p[trampArgs+8:]) != kcb || le.Uint64(p[trampArgs+16:]) != root {
			t.Error("entry, KCB and page tables are not what was given")
		}
	}
}
