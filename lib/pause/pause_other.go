//go:build !amd64

package pause

import "sync/atomic"

// Times looks at a word n times: something to do that takes a moment.
func Times(n uint32) {
	for ; n > 0; n-- {
		looked.Load()
	}
}

var looked atomic.Uint32
