package exchange

// Version is the version of the protocol that this package speaks. Both programs come from one release, so there
// is no other that it would have to understand.
const Version = 1

// The header. Its first six bytes mean the same in every version, so that a program can tell another one's version
// whatever comes behind.
//
//	offset  bytes  content
//	     0      4  "VTNP"
//	     4      2  version, big-endian as all numbers
//	     6      2  0
//	     8      4  bytes of the records
//	    12      4  milliseconds within which the answers are wanted; 0 in answers
const (
	magic          = "VTNP"
	versionOffset  = 4
	reservedOffset = 6
	lengthOffset   = 8
	withinOffset   = 12
	headerBytes    = 16
)

// The records: their number, and for each the number of its fields, and for each of those the length of its name, the
// name, the length of its value and the value.
const (
	recordCountBytes = 4
	fieldCountBytes  = 1
	nameLengthBytes  = 1
	valueLengthBytes = 4
	leastRecordBytes = fieldCountBytes
	leastFieldBytes  = nameLengthBytes + 1 + valueLengthBytes
)

// Limits of what is read and written.
const (
	// MaxBytes is the most that the records of a message have: more than all secrets of a vault, which the stores
	// could send.
	MaxBytes = 1 << 30

	maxRecords   = 1 << 20
	maxFields    = 32
	maxNameBytes = 32
	maxTextBytes = 4096
)
