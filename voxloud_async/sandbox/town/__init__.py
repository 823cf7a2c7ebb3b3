"""The seeded world: people, companies, numbers and half a year of calls, each a pure function of the seed."""
