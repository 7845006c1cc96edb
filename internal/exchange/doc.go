// Package exchange has the messages that vault-tool and vault-tool-net send each other: all requests of a command in
// one, all answers in another. docs/net-protocol.md specifies them.
//
// A message is a header and records, a record is named fields, a field is bytes. Decoded fields are parts of the
// memory that the message was read into, which is locked and wiped by [Message.Destroy]: no value is copied, and none
// gets to the heap.
//
// Decoding is strict. What is not exactly a message is [ErrMalformed]; lengths are checked before memory is taken; and
// no error repeats what was received.
package exchange
