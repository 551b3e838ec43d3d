"""Names, places, goods and people of the sample company. Constants only.

Every person, address, domain (.example, RFC 2606) and number is invented.
"""

from dataclasses import dataclass

LANGUAGES = ("pt", "es", "ro", "en")
USER_LANGUAGES = ("PT-BR", "ES", "RO", "EN")
LOCALES = ("pt-BR", "es", "ro", "en-US")
MAIL_DOMAINS = (
    "correio.example",
    "correo.example",
    "posta.example",
    "mail.example",
)


@dataclass(frozen=True)
class Country:
    """One market.

    share : of the customers
    languages : weights of pt, es, ro, en
    document : pattern of the national document; # stands for a digit, the leading
        zeros keep it from being anybody's
    """

    name: str
    code: str
    share: float
    languages: tuple[float, float, float, float]
    currency: str
    phone: str
    document: str
    time_zone: str
    cities: tuple[str, ...]


COUNTRIES = (
    Country(
        "Brazil",
        "BR",
        0.55,
        (0.97, 0.01, 0, 0.02),
        "BRL",
        "+55 11 9####-####",
        "000.###.###-##",
        "Brasilia",
        (
            *("São Paulo", "Rio de Janeiro", "Belo Horizonte", "Curitiba", "Recife"),
            *("Florianópolis", "Goiânia", "Salvador", "Porto Alegre", "Brasília"),
        ),
    ),
    Country(
        "Spain",
        "ES",
        0.18,
        (0.01, 0.93, 0.02, 0.04),
        "EUR",
        "+34 6## ## ## ##",
        "000#####X",
        "Madrid",
        ("Madrid", "Barcelona", "València", "Sevilla", "Málaga", "A Coruña", "Bilbao"),
    ),
    Country(
        "Romania",
        "RO",
        0.12,
        (0, 0, 0.95, 0.05),
        "RON",
        "+40 7## ### ###",
        "000######0000",
        "Bucharest",
        ("București", "Cluj-Napoca", "Timișoara", "Iași", "Brașov", "Constanța"),
    ),
    Country(
        "Portugal",
        "PT",
        0.06,
        (0.95, 0.01, 0, 0.04),
        "EUR",
        "+351 9## ### ###",
        "000######",
        "Lisbon",
        ("Lisboa", "Porto", "Braga", "Coimbra"),
    ),
    Country(
        "United States",
        "US",
        0.05,
        (0.03, 0.2, 0.02, 0.75),
        "USD",
        "+1 555 01##-####",
        "000-##-####",
        "Eastern Time (US & Canada)",
        ("New York", "Miami", "Boston, MA", "Los Angeles"),
    ),
    Country(
        "Mexico",
        "MX",
        0.04,
        (0, 0.96, 0, 0.04),
        "USD",
        "+52 55 #### ####",
        "XXXX000######",
        "Mexico City",
        ("Ciudad de México", "Guadalajara", "Mérida", "Querétaro"),
    ),
)

SEGMENTS = ("consumer", "small business", "enterprise")
SEGMENT_WEIGHTS = (0.78, 0.16, 0.06)
LIFECYCLE_STAGES = ("subscriber", "lead", "opportunity", "customer", "evangelist")
PREFERRED_CHANNELS = ("Email", "WhatsApp", "Phone", "SMS", "")
PREFERRED_CHANNEL_WEIGHTS = (0.4, 0.3, 0.1, 0.08, 0.12)
ORIGINAL_SOURCES = (
    "Organic Search",
    "Paid Search",
    "Social Media",
    "Referrals",
    "Direct Traffic",
    "Email Marketing",
    "Offline Sources",
)
ORIGINAL_SOURCE_WEIGHTS = (0.3, 0.18, 0.17, 0.1, 0.1, 0.08, 0.07)

FIRST_NAMES: tuple[tuple[str, ...], ...] = (
    (
        *("Ana", "João", "Maria", "José", "Luíza", "Gabriel", "Júlia", "Antônio"),
        *("Beatriz", "Rafael", "Conceição", "Thiago", "Larissa", "Vinícius", "Inês"),
        *("Camila", "André", "Patrícia", "Márcio", "Fernanda", "Caetano", "Débora"),
    ),
    (
        *("Lucía", "Sofía", "Martín", "Álvaro", "Carmen", "Íñigo", "José Luis"),
        *("Núria", "Begoña", "Andrés", "Inés", "Raúl", "Ximena", "Joaquín", "Pilar"),
        *("Concepción", "Óscar", "Rocío", "Jesús", "Ángela"),
    ),
    (
        *("Ioana", "Andrei", "Ștefan", "Mihai", "Anca", "Bogdan", "Cătălin", "Țuțu"),
        *("Raluca", "Ilinca", "Gheorghe", "Lăcrămioara", "Răzvan", "Mădălina"),
        *("Florin", "Daniela", "Călin", "Sânziana", "Vlad", "Oana"),
    ),
    (
        *("Emma", "Liam", "Olivia", "Noah", "Zoë", "Chloë", "Grace", "Ethan"),
        *("Mary-Jane", "Patrick", "Siobhán", "Renée", "William", "Harper", "Owen"),
        *("Abigail", "Theo", "Hannah", "Miles", "Ruth"),
    ),
)
LAST_NAMES: tuple[tuple[str, ...], ...] = (
    (
        *("da Silva", "Souza", "Gonçalves", "Araújo", "Conceição", "Magalhães"),
        *("Pereira", "Guimarães", "dos Santos", "Brandão", "Falcão", "Ribeiro"),
        *("Cavalcanti", "Simões", "Teixeira", "Leão", "Queirós", "Antunes"),
    ),
    (
        *("García López", "Muñoz", "Núñez", "Ibáñez", "Peña", "Fernández", "Sáez"),
        *("Rodríguez", "de la Cruz", "Gutiérrez", "Zúñiga", "Marín", "Ortuño"),
        *("Echevarría", "Vázquez", "Cañizares", "Domènech", "Otero"),
    ),
    (
        *("Popescu", "Ionescu", "Dumitrașcu", "Țărnă", "Stănescu", "Mureșan"),
        *("Văcărescu", "Rădulescu", "Șerban", "Pârvu", "Câmpeanu", "Lupu"),
        *("Grigorescu", "Niță", "Bălan", "Chirilă", "Oprea", "Tănase"),
    ),
    (
        *("Smith", "O'Neill", "Johnson", "Brown-Reyes", "Williams", "Núñez"),
        *("Carter", "Nguyen", "Miller, Jr.", "Walsh", "Okafor", "D'Angelo"),
        *("Campbell", "Schmidt", "Lee", "Hughes", "MacLeod", "Baker"),
    ),
)

COMPANY_STEMS = (
    *("Horizonte", "Aurora", "Boreal", "Cedro", "Delta", "Estrela", "Fortuna"),
    *("Gaivota", "Havana", "Ipê", "Jardim", "Luna", "Montaña", "Nórdico", "Olivar"),
    *("Peñasco", "Quinta", "Roble", "Solar", "Tâmega", "Urban", "Vértice", "Zimbru"),
    *("Carpați", "Dunărea", "Mărțișor", "Brândușa", "Summit", "Harbor", "Maple"),
)
COMPANY_KINDS: tuple[tuple[str, ...], ...] = (
    ("Comércio Ltda.", "Indústria S.A.", "& Filhos", "Serviços, Lda"),
    ("S.L.", "Distribuciones, S.A.", "y Asociados", "Servicios S.C."),
    ("S.R.L.", "Distribuție S.A.", "Impex", "Consulting SRL"),
    ("Inc.", "Trading, LLC", "& Partners", 'Group "One"'),
)
INDUSTRIES = (
    "RETAIL",
    "HOSPITALITY",
    "CONSTRUCTION",
    "EDUCATION_MANAGEMENT",
    "HOSPITAL_HEALTH_CARE",
    "INFORMATION_TECHNOLOGY_AND_SERVICES",
    "FOOD_BEVERAGES",
    "REAL_ESTATE",
)

PRODUCT_LINES = (
    "Kitchen",
    "Laundry",
    "Climate",
    "Audio & video",
    "Smart home",
    "Parts",
)
PRODUCT_LINE_WEIGHTS = (0.26, 0.16, 0.2, 0.18, 0.12, 0.08)
PRODUCT_LINE_PRICES = (420.0, 910.0, 780.0, 650.0, 240.0, 45.0)  # median, EUR
# Nobody fixed a rate for the last one: few orders are in it.
CURRENCIES = ("BRL", "EUR", "RON", "USD", "MXN")
CURRENCY_PER_EURO = (6.2, 1.0, 5.0, 1.1, 20.0)

STORES: tuple[tuple[str, ...], ...] = (
    ("BR-01 Paulista", "BR-02 Barra, Rio", "BR-03 Savassi", "BR-04 Boa Viagem"),
    ("ES-01 Gran Vía", "ES-02 Diagonal", "ES-03 Nervión"),
    ("RO-01 Unirii", "RO-02 Cluj, Piața Unirii"),
    ("PT-01 Chiado",),
    ("US-01 Online desk",),
    ("MX-01 Roma Norte",),
)
ALL_STORES = tuple(store for stores in STORES for store in stores)

SALES_CHANNELS = ("web", "app", "store", "phone", "whatsapp")
ORDER_STATUSES = ("placed", "paid", "cancelled")
DELIVERY_METHODS = ("courier", "store pickup")
CARRIERS = ("Rapidinho", "Correo Veloz", "Curier Carpați", "BlueBox", "")
DELIVERY_STATUSES = ("shipped", "delivered", "failed")
RETURN_REASONS = (
    "changed my mind",
    "damaged in transit",
    "wrong item",
    "does not work",
    "arrived too late",
)

DEAL_STAGES = (
    "appointmentscheduled",
    "qualifiedtobuy",
    "presentationscheduled",
    "contractsent",
    "closedwon",
    "closedlost",
)
DEAL_SOURCES = ("CRM_UI", "AUTOMATION_PLATFORM", "IMPORT")

TICKET_CHANNELS = (
    "email",
    "web",
    "chat",
    "native_messaging",
    "whatsapp",
    "voice",
    "twitter",
    "mobile_sdk",
    "api",
)
TICKET_CHANNEL_TOUCHPOINTS = (
    "ticket_email",
    "ticket_web",
    "ticket_chat",
    "ticket_chat",
    "ticket_whatsapp",
    "ticket_phone",
    "ticket_social",
    "ticket_app",
    "ticket_other",
)
# What a ticket about a topic is caused by: touchpoint, and the area that can mend it.
TICKET_CAUSES = {
    "delivery": ("parcel_delivered", "logistics"),
    "billing": ("checkout", "finance"),
    "exchange": ("parcel_delivered", "logistics"),
    "product": ("app_session", "product"),
    "invoice": ("order_web", "finance"),
    "cancel": ("order_web", "sales"),
    "site": ("checkout", "product"),
}
TICKET_STATUSES = ("new", "open", "pending", "hold", "solved", "closed", "deleted")
PRIORITIES = ("low", "normal", "high", "urgent")
TICKET_TYPES = ("question", "incident", "problem", "task")
AGENT_NAMES = (
    *("Helena Prado", "Davi Montenegro", "Lívia Sampaio", "Otávio Lobo"),
    *("Cecília Rangel", "Iago Falcão", "Marta Ibarra", "Hugo Cañas"),
    *("Leire Azpiazu", "Iker Solé", "Elena Vlăsceanu", "Tudor Iliescu"),
    *("Ruxandra Pop", "Sorin Văleanu", "June Park", "Amos Reid"),
    *("Priya Natarajan", "Wes Calloway"),
)
BOT_NAME = "Answer Bot"

ARTICLES = (
    "como-escolher-a-geladeira",
    "guia-de-climatizacion",
    "ghid-masina-de-spalat",
    "smart-home-in-five-steps",
    "energia-e-economia",
    "cuidados-com-a-cozinha",
)
PRODUCT_PAGES = ("kitchen", "laundry", "climate", "audio-video", "smart-home", "parts")
NEWSLETTER_SUBJECTS = (
    "Novidades da semana, feitas para você ✨",
    "Ofertas de otoño: hasta -30 %",
    "Noutăți și reduceri, doar azi",
    'Five ideas for a "quiet" kitchen',
)
EMPLOYEES = (
    *("Bruna Lacerda", "Caio Siqueira", "Noa Ferrer", "Teo Manea"),
    *("Ivy Chandler", "Lia Bastos"),
)
