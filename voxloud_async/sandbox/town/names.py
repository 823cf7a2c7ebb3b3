"""Word lists of the seeded world. Everybody in it is made up."""

from __future__ import annotations

FIRST_NAMES = (
    "Alessandro", "Alice", "Andrea", "Anna", "Antonio", "Beatrice", "Camille", "Carla", "Chiara", "Claudio",
    "Davide", "Elena", "Emanuele", "Federica", "Federico", "Filippo", "Francesca", "Gabriele", "Giorgia", "Giulia",
    "Greta", "Hans", "Ilaria", "Irene", "Jean-Luc", "John", "Jürgen", "Katharina", "Laura", "Lorenzo",
    "Luca", "Lucía", "Maria", "Marco", "Martina", "Matteo", "Michele", "Nicolò", "Paola", "Pedro",
    "Pietro", "Roberta", "Sara", "Simone", "Sofia", "Stefano", "Valentina", "Zoë",
)  # fmt: skip

LAST_NAMES = (
    "Amato", "Barbieri", "Bianchi", "Bruno", "Caruso", "Colombo", "Conti", "Costa", "D'Angelo", "De Amicis",
    "De Luca", "Doe", "Dupont", "Esposito", "Fabbri", "Ferrari", "Fontana", "Galli", "Gallo", "García",
    "Giordano", "Greco", "Leone", "Lombardi", "Mancini", "Marchetti", "Mariani", "Marino", "Martini", "Moretti",
    "Müller", "Neri", "Nicolò", "Parisi", "Pellegrini", "Ricci", "Rinaldi", "Rizzo", "Romano", "Rosi",
    "Rossi", "Russo", "Sala", "Santoro", "Schmidt", "Serra", "Silvestri", "Villa",
)  # fmt: skip

COMPANY_STEMS = (
    "Adriatica", "Alpina", "Aurora", "Bellini", "Boreale", "Cantiere", "Castello", "Delta", "Eridano", "Faro",
    "Ginestra", "Helios", "Isonzo", "Laguna", "Meridiana", "Nuvola", "Orizzonte", "Panorama", "Quercia", "Rialto",
    "Sirio", "Tirreno", "Ulivo", "Vesta",
)  # fmt: skip

COMPANY_ENDINGS = (
    "Logistica srl", "Arredi spa", "Edilizia snc", "Consulting", "Viaggi", "Software GmbH", "Foods SA",
    "Medical", "& Associates", "Trasporti srl", "Energia spa", "Studio Legale",
)  # fmt: skip

JOB_TITLES = (
    "CEO", "CFO", "Buyer", "Head of Sales", "Office Manager", "Responsabile acquisti", "Receptionist",
    "IT Manager", "Consultant", "Warehouse Manager", "Avvocato", "Account Manager",
)  # fmt: skip

CRMS = (
    ("Hubspot", "https://app.hubspot.example/contacts/{}/contact/{}", "https://logos.example/hubspot.png"),
    (
        "Salesforce",
        "https://acme.salesforce.example/lightning/r/Contact/{}{}/view",
        "https://logos.example/salesforce.png",
    ),
    ("Pipedrive", "https://acme.pipedrive.example/person/{}{}", "https://logos.example/pipedrive.png"),
)

DID_LABELS = (
    "Main office",
    "Customer support",
    "Secondary office",
    "Sales",
    "Warehouse",
    "Fax",
    "Milan branch",
    "Turin branch",
)

GROUP_NAMES = (
    "Support",
    "Sales",
    "Administration",
    "Reception",
    "Night shift",
    "Warehouse",
    "Field service",
    "Logistics",
)

LABELS = ("callback", "complaint", "new customer", "order", "invoice", "urgent", "supplier")

RULE_NAMES = ("Opening hours", "IVR main menu", "Sales queue", "Support queue", "Holiday message", "Overflow")
