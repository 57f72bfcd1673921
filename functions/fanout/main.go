// Command fanout posts one slice of a large room's broadcast: the message
// function invokes it, once for each slice.
package main

import (
	"log"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/symphony-rt/symphony/internal/compose"
)

func main() {
	h, err := compose.Fanout()
	if err != nil {
		log.Fatalf("symphony fanout: %v", err)
	}
	lambda.Start(h.Handle)
}
