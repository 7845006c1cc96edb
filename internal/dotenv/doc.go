// Package dotenv reads .env files for migration into a vault, removes
// statements from them, and writes values as .env lines.
//
// There is no standard for .env files, and readers disagree on dollar signs,
// backslashes, comments and much more. A value that one reader takes
// differently from the application that will be given the migrated secret is a
// broken deployment, so [Parse] in its default dialect, [Strict], runs two
// widely used readers, godotenv and the one of docker compose, and accepts a
// statement only where both give the same bytes. Everything else is reported
// as a [DoubtfulError] that names the line and the construct, never the value.
// The other dialects let a person who knows the reader settle the matter.
//
// # How a file is divided
//
// A file is a sequence of groups of whole physical lines. A group holds one
// statement, rarely more (two quoted values on one line). Between groups stand
// blank lines and comments. The readers themselves give up a whole file at
// its first fault; here a fault costs only its own group:
//
//   - A line that is no assignment is an entry with an error, and reading goes
//     on with the next line.
//   - Where readers see a statement end at different places, the group extends
//     to the first line on which both stand at the beginning of a statement,
//     and every name found inside it is an entry with an error.
//   - A quote that is opened and never closed swallows the rest of the file for
//     some readers and one line for others. So every name behind it is found,
//     and each of them carries an error that names the line of the quote: a
//     value is never taken from text that may lie inside another value.
//
// # Values
//
// A value is what the reader gives for the whole file less the groups that
// carry errors. Expansion ($NAME) sees the statements above, never the
// environment of this process. A reference to a name that is not set above
// makes a statement doubtful in Strict. In Godotenv it is empty, as godotenv has
// it; in Compose it is empty too, as compose has it in an empty environment. A
// running docker compose lets its environment override even what is set above, which
// nobody can tell from the file.
//
// # Memory
//
// The readers copy values to the garbage-collected heap. A caller that minds runs
// Parse where such copies are erased, copies the values it wants into locked
// memory, and calls [File.Wipe].
package dotenv
