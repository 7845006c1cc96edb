package argon2simd

import (
	"encoding/binary"
	"sync"

	"golang.org/x/crypto/blake2b"
)

// fill is one derivation's matrix of blocks, and how it is filled.
type fill struct {
	compressor
	blocks        []block // lane by lane
	p             Params
	laneBlocks    uint32 // blocks of a lane (RFC 9106, section 3.2: q)
	segmentBlocks uint32 // blocks of a lane in one slice
	threads       int
}

// run fills the matrix slice by slice (RFC 9106, section 3.2, steps 3 to 6). All threads wait for one
// another behind each slice, because the next one refers to all lanes of it.
func (f *fill) run(h0 *[preHashBytes]byte) {
	for l := range f.p.Lanes {
		f.start(l, h0)
	}
	lanesOf := make([][]lane, f.threads)
	for l := range f.p.Lanes {
		t := int(l) % f.threads
		lanesOf[t] = append(lanesOf[t], lane{number: l})
	}
	for pass := range f.p.Iterations {
		for slice := range uint32(syncPoints) {
			var others sync.WaitGroup
			for _, lanes := range lanesOf[1:] {
				others.Go(func() { f.slice(lanes, pass, slice) })
			}
			f.slice(lanesOf[0], pass, slice)
			others.Wait()
		}
	}
}

// start computes the first two blocks of a lane (section 3.2, steps 3 and 4).
func (f *fill) start(number uint32, h0 *[preHashBytes]byte) {
	var bytes [blockBytes]byte
	for column := range uint32(2) {
		binary.LittleEndian.PutUint32(h0[blake2b.Size:], column)
		binary.LittleEndian.PutUint32(h0[blake2b.Size+4:], number)
		longHash(bytes[:], h0[:])
		f.blocks[number*f.laneBlocks+column].setBytes(&bytes)
	}
	clear(bytes[:])
}

// lane is the state of one lane within a slice.
type lane struct {
	number    uint32
	previous  *block // the block before the next one
	reference *block // what the next one refers to

	// For the slices whose references do not depend on the passphrase (section 3.4.1.2).
	counter, addresses block

	scratch block // of the compression function
}

// slice fills one segment of each lane, a block of each in turn.
func (f *fill) slice(lanes []lane, pass, slice uint32) {
	first := uint32(0)
	if pass == 0 && slice == 0 {
		first = 2 // start has made the first two
	}
	independent := pass == 0 && slice < syncPoints/2 // section 3.4.1.3
	for i := range lanes {
		f.begin(&lanes[i], pass, slice, first, independent)
	}
	scratch := &lanes[0].scratch
	defer func() {
		clear(scratch[:])
		f.clearRegisters()
	}()

	compress := f.compressXOR
	if pass == 0 {
		compress = f.compress
	}
	ahead := lanes[0].reference
	for index := first; index < f.segmentBlocks; index++ {
		offset := slice*f.segmentBlocks + index
		for i := range lanes {
			l := &lanes[i]
			out := &f.blocks[l.number*f.laneBlocks+offset]
			compress(out, l.previous, l.reference, ahead, scratch)
			l.previous = out
			if index+1 < f.segmentBlocks {
				l.reference = f.reference(l, pass, slice, index+1, independent)
				ahead = l.reference
			}
		}
	}
}

// begin prepares a lane for a slice.
func (f *fill) begin(l *lane, pass, slice, first uint32, independent bool) {
	if independent {
		l.counter = block{}
		for w, n := range []uint32{pass, l.number, slice, f.laneBlocks * f.p.Lanes, f.p.Iterations, typeID} {
			l.counter[position(w)] = uint64(n)
		}
		if first > 0 { // else the first call of reference does it
			f.nextAddresses(l)
		}
	}
	column := slice*f.segmentBlocks + first
	if column == 0 {
		column = f.laneBlocks // the block before the first one of a lane is its last one
	}
	l.previous = &f.blocks[l.number*f.laneBlocks+column-1]
	l.reference = f.reference(l, pass, slice, first, independent)
}

// reference returns the reference block of the block at index of a lane's segment (section 3.4).
func (f *fill) reference(l *lane, pass, slice, index uint32, independent bool) *block {
	random := l.previous[0] // J1 in the low half, J2 in the high one (section 3.4.1)
	if independent {
		if index%blockWords == 0 {
			f.nextAddresses(l)
		}
		random = l.addresses[position(int(index%blockWords))]
	}
	from := uint32(random>>32) % f.p.Lanes
	if pass == 0 && slice == 0 {
		from = l.number
	}

	// The blocks to choose from (section 3.4.2): of all lanes what the last three slices hold, in the first
	// pass all slices before this one; of the own lane what this segment has so far as well, without the
	// block just done.
	start, count := (slice+1)%syncPoints*f.segmentBlocks, (syncPoints-1)*f.segmentBlocks
	if pass == 0 {
		start, count = 0, slice*f.segmentBlocks
	}
	if from == l.number {
		count += index - 1
	} else if index == 0 {
		count--
	}
	x := random & 0xFFFFFFFF
	x = x * x >> 32
	x = x * uint64(count) >> 32
	column := start + count - 1 - uint32(x)
	if column >= f.laneBlocks {
		column -= f.laneBlocks
	}
	return &f.blocks[from*f.laneBlocks+column]
}

// nextAddresses computes the next 128 pseudo-random values of a lane (section 3.4.1.2).
func (f *fill) nextAddresses(l *lane) {
	l.counter[position(6)]++
	f.compress(&l.addresses, &l.counter, &zeroBlock, &zeroBlock, &l.scratch)
	f.compress(&l.addresses, &l.addresses, &zeroBlock, &zeroBlock, &l.scratch)
}

// extract writes the key: H' of the sum of the last blocks of the lanes (section 3.2, steps 7 and 8).
func (f *fill) extract(dst []byte) {
	var bytes [blockBytes]byte
	var sum block
	for l := range f.p.Lanes {
		last := &f.blocks[(l+1)*f.laneBlocks-1]
		for i := range sum {
			sum[i] ^= last[i]
		}
	}
	sum.putBytes(&bytes)
	longHash(dst, bytes[:])
	clear(bytes[:])
	clear(sum[:])
}

// wipe overwrites the memory, a share of each thread. The last blocks alone would not do: they follow from the
// others.
func (f *fill) wipe() {
	share := (len(f.blocks) + f.threads - 1) / f.threads
	var others sync.WaitGroup
	for from := share; from < len(f.blocks); from += share {
		count := min(share, len(f.blocks)-from)
		others.Go(func() { f.compressor.wipe(&f.blocks[from], count) })
	}
	f.compressor.wipe(&f.blocks[0], min(share, len(f.blocks)))
	others.Wait()
}
