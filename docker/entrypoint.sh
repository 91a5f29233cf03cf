#!/bin/sh
# A container runs web, queue, learner, or any management command. Only web migrates the database; the
# others wait for that.
set -eu

wait_for_database() {
    tries=0
    until python manage.py database ping; do
        tries=$((tries + 1))
        if [ "$tries" -ge "${WAGGLE_DATABASE_TRIES:-60}" ]; then
            echo "the database of WAGGLE_DATABASE_URL did not answer after $tries tries" >&2
            exit 1
        fi
        sleep 1
    done
}

# A message that comes before the tables it needs would fail, and be lost.
wait_for_migrations() {
    until python manage.py migrate --check >/dev/null 2>&1; do
        echo "waiting until web has migrated the database" >&2
        sleep 2
    done
}

role="${1:-web}"
case "$role" in
    web)
        wait_for_database
        python manage.py bootstrap
        python manage.py collectstatic --no-input --verbosity 0
        exec python -m frontend.server
        ;;
    queue)
        wait_for_database
        wait_for_migrations
        exec python manage.py qcluster
        ;;
    learner)
        wait_for_database
        wait_for_migrations
        exec python manage.py run_programs
        ;;
    *)
        exec python manage.py "$@"
        ;;
esac
