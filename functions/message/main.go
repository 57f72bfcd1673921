// Command message serves $default: one message of a client.
package main

import (
	"log"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/symphony-rt/symphony/internal/compose"
	"github.com/symphony-rt/symphony/internal/handler"
)

func main() {
	h, err := compose.Message()
	if err != nil {
		log.Fatalf("symphony message: %v", err)
	}
	lambda.Start(handler.MessageFunction{Handler: h})
}
