// A vCenter simulator on an address of this machine: vcsim CERTIFICATE KEY [HOSTS MACHINES]
// It ends when something comes on its input.
package main

import (
	"crypto/tls"
	"fmt"
	"os"
	"strconv"

	"github.com/vmware/govmomi/simulator"
)

func main() {
	certificate, err := tls.LoadX509KeyPair(os.Args[1], os.Args[2])
	if err != nil {
		panic(err)
	}
	model := simulator.VPX()
	if len(os.Args) > 4 {
		model.ClusterHost, _ = strconv.Atoi(os.Args[3])
		model.Machine, _ = strconv.Atoi(os.Args[4])
		model.Host = 0
	}
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
