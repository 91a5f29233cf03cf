-- Is a caller at this address outside of the networks from which a team's work can be seen and done?
--
-- `the_cidrs` is marketplace_workteam.source_cidrs; an empty list has no outside. NULL for an address: a program of our
-- own asks, nobody's request. '': the address is unknown, which is outside of every list.
CREATE OR REPLACE FUNCTION marketplace_outside(the_cidrs jsonb, the_address text)
RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT the_address IS NOT NULL AND the_cidrs <> '[]'::jsonb AND NOT EXISTS (
        SELECT 1 FROM jsonb_array_elements_text(the_cidrs) AS listed(cidr)
        WHERE nullif(the_address, '')::inet <<= listed.cidr::inet)
$$;
