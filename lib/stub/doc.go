// Package stub is what generated stubs of interfaces call (docs/interfaces.md): it
// carries calls, their answers, one-way messages and streams over a channel.Conn.
//
// A client's calls may be made by many goroutines at once over one connection. There
// is no goroutine that reads for all: whoever waits for an answer reads the
// connection, hands others their answers, and leaves the reading to one of them when
// its own has come. A server reads in one goroutine, and runs each call in another,
// or there and then if it is Inline.
//
// Requests, answers and items of streams are sequences of values in little-endian
// order, none padded; strings and slices begin with their length. What does not fit
// a message of the channel is cut into several. How long each can be is declared, so
// a peer can make this end hold no more than that for each of MaxCalls calls: one
// that sends more, or anything else that makes no sense, ends its own connection,
// with channel.ErrBroken.
//
// Calls, answers and their marshalling allocate nothing if they fit a message, but
// for the strings and slices that the receiver gets, and for a call's context when
// it has a deadline or a goroutine of its own.
//
// Generated stubs import it, and who serves or calls through them: for Serve's
// options, ServeAll, and the errors. It must never know any one interface or
// transport.
package stub
