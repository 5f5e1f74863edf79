/** What C++ does on this machine: libzmq, the frames alone, and the kernel alone. */
import { missingProgram, NativePeer, startPrograms } from '../native-peers.ts';
import type { Peer, PeerDescription } from '../peer.ts';

function programPeer(program: NativePeer, way: string, description: PeerDescription): Peer {
  return {
    ...description,
    missing: () => missingProgram(program),
    start: () => startPrograms(program, way),
  };
}

export const peers: readonly Peer[] = [
  programPeer(NativePeer.Zmq, '-', {
    name: 'libzmq',
    title: 'libzmq in C, PUSH/PULL, DEALER',
    order: 40,
    scenarios: ['stream', 'rotating', 'requests'],
    does: 'reconnects; no CRC, no acks: what a broken connection held is lost',
  }),
  programPeer(NativePeer.Stream, 'blocking', {
    name: 'C++ stream',
    title: 'bare C++ stream of the same frames',
    order: 50,
    scenarios: ['stream', 'rotating'],
    does: 'CRC-32C of every segment by the same code; no sequence check, acks, replay or dispatch',
  }),
  programPeer(NativePeer.Stream, 'polling', {
    name: 'C++ stream polling',
    title: 'the same, reading without waiting',
    order: 51,
    scenarios: ['stream'],
    does: 'as above; one core spins',
  }),
  programPeer(NativePeer.Stream, 'shared', {
    name: 'C++ stream shared',
    title: 'the same, through shared memory',
    order: 52,
    scenarios: ['stream'],
    does: 'as the bare stream, over the same ring as async; one core spins',
  }),
  programPeer(NativePeer.Tcp, 'stream', {
    name: 'TCP stream',
    title: 'raw TCP in C++, the bytes of those frames',
    order: 53,
    scenarios: ['stream'],
    does: 'as many bytes from one buffer to another; no frames, no CRC, no message; one core spins',
  }),
  programPeer(NativePeer.Answer, '-', {
    name: 'C++ answers',
    title: 'heartbeat frames answered in C++',
    order: 54,
    scenarios: ['heartbeats'],
    does: 'CRC-32C of every segment, both ways, by the same code; no session, no dispatch, no MOSDPing',
  }),
  programPeer(NativePeer.Tcp, 'blocking', {
    name: 'TCP blocking',
    title: 'raw TCP in C++, blocking',
    order: 60,
    scenarios: ['requests'],
    depthMax: 1,
    does: 'the bytes of one message back and forth, nothing else',
  }),
  programPeer(NativePeer.Tcp, 'spinning', {
    name: 'TCP spinning',
    title: 'raw TCP in C++, spinning',
    order: 61,
    scenarios: ['requests'],
    depthMax: 1,
    does: 'as above; both cores spin',
  }),
];
