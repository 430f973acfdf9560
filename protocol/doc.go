// Package protocol is the home of the protocols by which the monitors of the
// cores work together. Each is a package of its own: transfer, names, binding.
//
// They are state machines: a method takes what has happened, a message or what a
// program asks for, and says at once what follows, by functions and an interface
// given to the machine. There is no goroutine in them, no clock and no input or
// output, and nothing depends on the order of a map. So the same code runs in the
// monitors and in the simulator (package simulate), which tries it with all that
// can go wrong.
//
// All of them assume the same of what carries their messages:
//
//   - What one core sends another arrives in order, and once. Nothing else is said
//     of when it arrives.
//   - A message of a core to itself goes the same way: it is queued, and handled
//     when the method that sent it has returned. The functions and interfaces that
//     a machine is given never call it.
//   - Lost says that a core has stopped for good. No message of it follows; what it
//     had sent may have been lost from some message on. It reads and writes nothing
//     any more, so it counts as having nothing.
//   - Cut says that a core cannot be reached any more, but may run: the core is
//     lost through which all messages go. Everybody who waits for it is answered;
//     what it may still have of this core's is kept for good.
//
// A core that is started again after it was lost is another core to them: it needs a
// number that was not used. Cores are trusted; what programs ask for is not.
package protocol
