// Package history has the form and the rules of what a vault keeps of its secrets' earlier versions: records of versions,
// counters of folders, and settings. docs/format.md ("History") specifies them.
//
// Old values are passed on as they stand, in the caller's memory. Nothing here copies one to the heap.
package history
