// Command authorize decides who may connect: the REQUEST authorizer of $connect.
package main

import (
	"log"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/symphony-rt/symphony/internal/compose"
)

func main() {
	a, err := compose.Authorizer()
	if err != nil {
		log.Fatalf("symphony authorize: %v", err)
	}
	lambda.Start(a.Authorize)
}
