// Package pause is what every polling loop in user mode does between two looks: it
// tells the processor that it polls, which spares power and the other threads of
// the core, and lets an emulator turn to another processor.
//
// Whoever polls may import it, freestanding code included. It must never do more.
package pause
