// Command stream serves the table's stream: it keeps the room directory and
// publishes metrics.
package main

import (
	"log"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/symphony-rt/symphony/internal/compose"
)

func main() {
	s, err := compose.Stream()
	if err != nil {
		log.Fatalf("symphony stream: %v", err)
	}
	lambda.Start(s.Handle)
}
