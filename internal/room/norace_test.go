//go:build !race

package room_test

// stride is how many calls the fault run moves on at a time: every one.
const stride = 1
