/// A query as it was written. Positions are byte offsets into its text.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::emulator) struct Query {
    pub select: Select,
    pub object: Name,
    pub filter: Option<Filter>,
    pub order: Vec<Order>,
    pub limit: Option<u64>,
    pub offset: u64,
}

/// A name and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::emulator) struct Name {
    pub text: String,
    pub at: usize,
}

#[derive(Clone, Debug, PartialEq)]
pub(in crate::emulator) enum Select {
    /// `COUNT()`: no rows, only how many.
    Count,
    /// `COUNT(Id)`: one row that holds how many.
    CountOf(Name),
    /// `FIELDS(ALL)` or `FIELDS(STANDARD)`.
    AllFields {
        standard: bool,
    },
    Fields(Vec<Name>),
}

#[derive(Clone, Debug, PartialEq)]
pub(in crate::emulator) struct Order {
    pub field: Name,
    pub descending: bool,
    pub nulls_last: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub(in crate::emulator) enum Filter {
    And(Vec<Filter>),
    Or(Vec<Filter>),
    Not(Box<Filter>),
    Compare { field: Name, op: Op, value: Literal },
    In { field: Name, negated: bool, values: Vec<Literal> },
    InQuery { field: Name, negated: bool, query: Box<Query> },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::emulator) enum Op {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Like,
}

#[derive(Clone, Debug, PartialEq)]
pub(in crate::emulator) enum Literal {
    Null,
    Bool(bool),
    Number(f64),
    Text(String),
    /// Seconds since 1970.
    Time(i64),
    /// Days since 1970.
    Date(i64),
    /// `TODAY`, `YESTERDAY` and `LAST_N_DAYS:n`: the first day of the span and how many days it has.
    Days {
        back: i64,
        span: i64,
    },
}
