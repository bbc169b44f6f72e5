"""Requests as people write them, one of each kind; the tests of D1 and P1 read them."""

from __future__ import annotations

FEATURE_TITLE = "Add a totals row to the converted table"
FEATURE = """\
## Problem
Finance teams keep their monthly figures in spreadsheets and have to retype every table into the
wiki by hand. It takes about two hours a month and half of the mistakes we see come from it.

## Why
The wiki is the place where the board reads the figures, so that a wrong cell there costs us a meeting.

## Acceptance criteria
- [ ] `rowdown convert --totals` appends a row with the sum of every numeric column
- [ ] The totals row must be labelled "Total" in the first column,
      whatever language the header uses
- [x] AC7: Columns that hold text are left empty in the totals row
- [ ] Users can turn the row off with `--no-totals`
- [ ] The usage page documents both options

## Risks
- **R1 (high):** Amounts with a decimal comma may be summed wrongly. Mitigation: parse them with `amounts.py`.
- Large files could slow the command down
  - Mitigation: sum while reading, never keep all rows in memory

## Scope
`src/rowdown/table.py` and the command line in `src/rowdown/cli.py`.

## Out of scope
- Averages and medians must wait
- A new dependency on the pandas library

Deadline: end of the month, before release 1.4.
"""

BUG_TITLE = "rowdown dies on an empty CSV file"
BUG = """\
**Describe the bug**
Since 2.3.1 `rowdown convert` crashes when a CSV file is empty.

**To Reproduce**
1. Create an empty file: `touch empty.csv`
2. Run `rowdown convert empty.csv`

```
Traceback (most recent call last):
  File "/usr/lib/python3.11/site-packages/rowdown/cli.py", line 41, in main
    rows = read_rows(path)  # this must not be read as a demand
  File "/usr/lib/python3.11/site-packages/rowdown/rows.py", line 22, in read_rows
    header = next(reader)
StopIteration
```

**Expected behavior**
- The command prints an empty table and exits with code 0.
- A file with only a header line still prints the header.
- `--strict` must report "file is empty" on stderr and exit with code 2.

**Additional context**
Our nightly report runs over all customers' files; one empty file stops the whole run, so the support
team gets a call every morning.

**Risks**
If missing files were treated like empty ones, then real mistakes would be hidden. To avoid this, check that the
file exists first.
"""

GHERKIN_TITLE = "Single sign-on for accountants"
GHERKIN = """\
As an accountant, I want to log in with my company account so that I do not need another password.

Background: today every accountant has a separate password, and the help desk resets about 40 of them a week.

```gherkin
Feature: Single sign-on

  Background:
    Given the identity provider runs

  Scenario: First login
    Given an accountant with a company account
    When she opens the login page
    And chooses "Company account"
    Then she is logged in
    And a profile is created for her

  Scenario: Unknown account
    Given a person without a company account
    When he chooses "Company account"
    Then he sees why he cannot log in

  Scenario Outline: Old passwords
    Given an account created in <year>
    When the password is used
    Then login works until the end of the year
    Examples:
      | year |
      | 2019 |
```

We are worried that people could be locked out if the identity provider is down (medium).
"""

MAIL_TITLE = "Payment reminders"
MAIL = """\
Hi all,

as discussed on Monday, our customers keep asking for reminders. Today the shop sends an invoice and then nothing
happens until someone in accounting notices that it has not been paid; they go through the list by hand every
Friday, which costs us half a day per week.

What we need is this. The shop must send a reminder by e-mail 14 days after the due date. It should not send more
than one reminder per invoice. An accountant has to be able to switch reminders off for a single customer. The list
of open invoices in the admin page should show when the last reminder was sent.

One risk: reminders might be sent for invoices that were paid the same day, because the bank file arrives late. To
avoid this, wait for the bank file before sending. There is also a danger that mails are blocked as spam (low).

It would be good to have it by the end of March, e.g. with version 3.2. I think we could do it by extending the
nightly job in `billing/jobs.py`.

Best regards,
Anna
"""

TERSE_TITLE = "Export button"
TERSE = """\
- export button on the report page
- exported CSV has a header row
- works for 10,000 rows within 2 seconds
- risk: browser may freeze on big reports -> stream the file
why: analysts copy the table into Excel by hand every week
who: analysts
"""

VAGUE_TITLE = "make it better"
VAGUE = "please make everything a bit nicer"

PLANNED_TITLE = "Read settings from the environment"
PLANNED = """\
## Background
Operators start the service in containers and cannot mount a settings file there; they patch the image by hand today.

## Requirements
1. Settings are read from environment variables with the prefix `APP_`
2. A variable overrides the settings file
3. An unknown variable is reported at startup

## Plan
1. Read variables with the prefix (AC1) (2h)
2. Then let a variable override the settings file (AC2), 1.5 hours
3. Report an unknown variable at startup, after task 1
4. Update the docs

## Concerns
Secrets in variables may leak into logs (high). Mitigation: never print values.
"""

FOREIGN_TITLE = "Zahlen als Tabelle ausgeben"
FOREIGN = """\
Hintergrund:
Die Nutzer kopieren die Zahlen jeden Montag in eine Tabelle und schneiden jede Zeile von Hand zu. Das kostet sie eine
Stunde in der Woche, und dabei gehen Zeilen verloren.

Akzeptanzkriterien:
- Die Tabelle hat eine Kopfzeile.
- Jedes Wort hat eine eigene Zeile.
- Lange Wörter werden abgeschnitten.

Risiken:
- Lange Wörter sprengen die Tabelle. Gegenmaßnahme: abschneiden.
"""
