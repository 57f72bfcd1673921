// Command checkpoint serves the schedule: it brings snapshots up to the log.
package main

import (
	"log"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/symphony-rt/symphony/internal/compose"
)

func main() {
	c, err := compose.Checkpoint()
	if err != nil {
		log.Fatalf("symphony checkpoint: %v", err)
	}
	lambda.Start(c.Handle)
}
