import type { Case } from '../../interop/case.ts';
import { allow, askFrom, askHere, askIn, hold, type Place, refused, remove, told } from './place.ts';

/** An engine that is not well. Other attestors' facts count all the same. */
export function faultCases(place: Place): readonly Case[] {
  const { engine, gate, agent } = place;
  const without = async (reason: RegExp, ask: () => ReturnType<typeof askIn>) => {
    const from = agent.process.output.length;
    await told('what the user alone has', ask, '/by/user');
    await agent.process.line(reason, 5, from);
  };
  const ask = () => askIn(place, '--label', 'faulty=yes', '--user', '4711:4711');

  return [
    {
      name: 'an engine that does not answer, or answers garbage, delays nobody for long and tells nothing',
      run: async () => {
        await allow(place, '/by/user', 'unix:uid:4711');
        await allow(place, '/by/both', 'unix:uid:4711', 'docker:label:faulty:yes');
        await told('both', ask, '/by/user', '/by/both');
        gate.silent();
        await without(/attestor failed.*(no answer within|did not answer)/, ask);
        gate.saying('SSH-2.0-OpenSSH_9.2\r\n');
        await without(/attestor failed.*cannot be asked/, ask);
        gate.saying('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}');
        await without(/attestor failed.*without a usable/, ask);
        gate.saying('HTTP/1.1 500 Oh\r\ncontent-length: 19\r\n\r\n{"message":"broken"');
        await without(/attestor failed.*answered 500/, ask);
        gate.saying(`HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nffffffff\r\n${'x'.repeat(5_000_000)}`);
        await without(/attestor failed.*more than \d+ bytes/, ask);
        gate.open();
        await told('both again', ask, '/by/user', '/by/both');
      },
    },
    {
      name: 'while the engine is down its containers are not recognised; with the engine they are back',
      run: async () => {
        await allow(place, '/back/one', 'docker:label:back:yes');
        await told('before', () => askIn(place, '--label', 'back=yes'), '/back/one');
        await engine.kill();
        await refused('a process in no container', () => askHere(place));
        await engine.serve();
        await hold(place, 'back', '--label', 'back=yes');
        await told('after', () => askFrom(place, 'back'), '/back/one');
        await remove(place, 'back');
      },
    },
  ];
}
