//go:build race

package room_test

// stride is how many calls the fault run moves on at a time. Under the race
// detector, which makes it ten times slower, it takes a sample.
const stride = 11
