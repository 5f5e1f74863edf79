/** Socket addresses and the options of a socket, for every transport. */

export interface SocketAddress {
  readonly family: 4 | 6;
  /** Numeric, without brackets: `127.0.0.1`, `::1`, `fe80::1%eth0`. */
  readonly host: string;
  readonly port: number;
}

/**
 * What a host with several NICs sets on a socket. Every field is optional; an option that the transport
 * or the system does not offer is refused with ERR_MSGR_UNSUPPORTED, never ignored.
 */
export interface SocketOptions {
  /** Bind a connecting socket to this local address; the port may be 0. */
  localAddress?: SocketAddress;
  /** SO_BINDTODEVICE: interface name. Needs CAP_NET_RAW on some kernels. `async` only. */
  device?: string;
  /** TCP_NODELAY; true by default, as `ms_tcp_nodelay`. */
  noDelay?: boolean;
  /** IP_TOS / IPV6_TCLASS byte, e.g. 0x10 for low delay. `async` only. */
  typeOfService?: number;
  /** SO_REUSEPORT on a listener. `async` only. */
  reusePort?: boolean;
  /** IP_BIND_ADDRESS_NO_PORT with `localAddress`: the port is chosen at connect. `async` only. */
  bindAddressNoPort?: boolean;
  /** SO_BUSY_POLL in microseconds, for NICs whose driver polls. `async` only. */
  busyPollUs?: number;
  /** SO_RCVBUF in bytes (`ms_tcp_rcvbuf`; 0 or absent: the system's choice). `async` only. */
  receiveBufferBytes?: number;
  /** SO_SNDBUF in bytes. `async` only. */
  sendBufferBytes?: number;
  /** TCP_CONGESTION: `reno`, `cubic`, `bbr`… Absent: the system's choice, but `reno` within one host. `async` only. */
  congestionControl?: string;
  /** Pending connections of a listener (`ms_tcp_listen_backlog`, 512). */
  backlog?: number;
}
