// Package boot holds the entry point that the image builder asks for.
package boot

func entry()

// Use keeps the entry point linked.
func Use() { entry() }
