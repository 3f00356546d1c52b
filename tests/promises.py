# See promises.sh.
import glob
import os
import re
import shlex
import subprocess
import sys

viz = os.path.abspath(sys.argv[1])
PAGE = 'docs/viz-promises.md'
PROMISES = 41
faults = commands = tests = 0
os.environ['LC_ALL'] = 'C.UTF-8'


def wrong(what):
    global faults
    faults += 1
    print('  ' + what)


def text(path):
    with open(path, encoding='utf-8') as file:
        return file.read()


stages = set(re.findall(r'[\w/-]+', text('tests/run.sh')))


units = {path: text(path) for path in glob.glob('tests/unit/check_*.c')}


def unit_test(where, name):
    sources = [source for source in units.values()
               if f'START_TEST({name})' in source]
    if not sources:
        wrong(f'{where}: no test {name} in tests/unit')
    elif not re.search(rf'tcase_add\w*\([^;]*\b{name}\b', sources[0]):
        wrong(f'{where}: {name} is never run')


def kept_by(where, cell):
    global tests
    names = re.findall(r'`([^`]+)`', cell)
    if not names:
        wrong(f'{where}: no test keeps it')
    for name in names:
        tests += 1
        if '/' not in name:
            unit_test(where, name)
        elif not os.path.exists(name):
            wrong(f'{where}: there is no {name}')
        elif name[len('tests/'):-len('.sh')] not in stages:
            wrong(f'{where}: {name} is no stage of make test')


def shows(where, cell):
    global commands
    spans = re.findall(r'`([^`]+)`', cell)
    if not spans:
        wrong(f'{where}: no command')
        return
    command, words = spans[0], spans[1:]
    if not command.startswith('viz -r ') or 'FILE' in command:
        return  # live, or long: the tests do it
    commands += 1
    done = subprocess.run(command.replace('viz', shlex.quote(viz), 1),
                          shell=True, capture_output=True, text=True,
                          timeout=60)
    if done.returncode != 0:
        wrong(f'{where}: {command}: status {done.returncode} {done.stderr}')
    for word in words:
        if word not in done.stdout:
            wrong(f'{where}: {command} does not print {word}')


promised = text(PAGE).split('\n## Not kept')[0]
rows = re.findall(r'^\| (\d+) \| (.*?) \| (.*) \| (.*?) \|$', promised, re.M)
for expected, (number, _, command, tests_named) in enumerate(rows, 1):
    where = f'promise {number}'
    if int(number) != expected:
        wrong(f'{where} stands where {expected} should')
    shows(where, command)
    kept_by(where, tests_named)
if len(rows) != PROMISES:
    wrong(f'{len(rows)} promises, not {PROMISES}')
print(f'promises: {len(rows)}, {commands} commands run, {tests} tests named, '
      f'{faults} wrong')
sys.exit(faults > 0)
