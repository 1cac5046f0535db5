// A vCenter simulator on an address of this machine, for the tests of the collectors.
package main

import (
	"crypto/tls"
	"fmt"
	"os"

	"github.com/vmware/govmomi/simulator"
)

func main() {
	certificate, err := tls.LoadX509KeyPair(os.Args[1], os.Args[2])
	if err != nil {
		panic(err)
	}
	model := simulator.VPX()
	if err := model.Create(); err != nil {
		panic(err)
	}
	model.Service.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}}
	server := model.Service.NewServer()
	fmt.Println(server.URL.Host)
	os.Stdin.Read(make([]byte, 1))
	server.Close()
	model.Remove()
}
