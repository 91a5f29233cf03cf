#!/bin/sh
# A container runs web, queue, learner, or any management command. Only web migrates the database before it starts.
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

role="${1:-web}"
case "$role" in
    web)
        wait_for_database
        python manage.py bootstrap
        python manage.py collectstatic --no-input --verbosity 0
        exec gunicorn marketplace.wsgi --config docker/gunicorn.conf.py
        ;;
    queue)
        wait_for_database
        exec python manage.py qcluster
        ;;
    learner)
        wait_for_database
        exec python manage.py run_programs
        ;;
    *)
        exec python manage.py "$@"
        ;;
esac
