package check

import "strings"

// trapReserve is what a runtime panic takes of the stack, in bytes, until it
// faults for want of an m: its registers, and a few small frames.
const trapReserve = 512

// trap says that a function is where a runtime panic begins.
func trap(name string) bool {
	rest, ok := strings.CutPrefix(name, "runtime.")
	return ok && (strings.HasPrefix(rest, "panic") || strings.HasPrefix(rest, "goPanic") ||
		rest == "gopanic" || rest == "sigpanic")
}

// skipped says that calls to a function are no calls; see the package comment.
func skipped(name string) bool { return strings.HasPrefix(name, "runtime.morestack") }

// free are the functions of package runtime that need nothing of it.
var free = map[string]bool{
	"memmove": true, "memclrNoHeapPointers": true, "duffzero": true, "duffcopy": true,
	"memequal": true, "memequal_varlen": true, "memequal0": true, "memequal8": true,
	"memequal16": true, "memequal32": true, "memequal64": true, "memequal128": true,
	"strequal": true, "cmpstring": true, "decoderune": true,
}

// forbidden says that a function needs a running runtime: everything in it
// does but what is known not to.
func forbidden(name string) bool {
	if rest, ok := strings.CutPrefix(name, "runtime."); ok {
		return !free[rest]
	}
	for _, prefix := range []string{"internal/runtime/maps.", "internal/runtime/exithook.", "reflect.", "internal/reflectlite."} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return name == "gcWriteBarrier" || name == "gogo" || strings.HasPrefix(name, "_rt0_")
}

// barrier says that a function is called only while the write barrier is on.
func barrier(name string) bool {
	return name == "gcWriteBarrier" || strings.HasPrefix(name, "runtime.gcWriteBarrier") ||
		name == "runtime.wbZero" || name == "runtime.wbMove"
}
